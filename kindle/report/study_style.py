"""What a study's page needs beyond the style of all reports: contents, folded parts, rows that were jumped to.

What is folded on the screen is open on paper.
"""

from kindle.report.style import BLUE, GREY

CSS = f"""
nav {{ display: flex; flex-wrap: wrap; gap: 2px 16px; margin: 14px 0 0; font-size: 12.5px; }}
a {{ color: {BLUE}; text-decoration: none; }}
a:hover {{ text-decoration: underline; }}
details {{ margin: 4px 0 8px; }}
summary {{ cursor: pointer; font-size: 12.5px; color: {GREY}; }}
details.rows p {{ font-size: 11.5px; max-width: none; }}
td details {{ margin: 0; }}
td summary {{ font-size: inherit; white-space: nowrap; }}
th, td {{ overflow-wrap: break-word; }}
section table {{ font-size: 11.5px; line-height: 1.35; }}
.files {{ font-size: 11px; color: {GREY}; }}
.plots {{ display: flex; flex-wrap: wrap; gap: 18px 22px; align-items: flex-start; margin: 10px 0; }}
.plots figure {{ padding-top: 4px; }}
figure svg {{ max-width: 100%; }}
section > figure {{ margin: 12px 0; }}
table.rows {{ font-size: 11px; }}
tr:target td {{ background: #FFF4D6; }}
.prose p {{ max-width: 92ch; }}
table.results td:nth-child(-n + 3) {{ min-width: 6em; }}
@media print {{
  nav, .files {{ display: none; }}
  details::details-content {{ content-visibility: visible; block-size: auto; }}
  a {{ color: inherit; }}
  .plots {{ display: block; }}
  .plots figure {{ display: inline-block; vertical-align: top; margin-right: 8mm; }}
}}
"""
