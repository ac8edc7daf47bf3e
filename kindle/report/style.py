"""How a report looks: one palette for figures and page, told apart by shape as well as by colour."""

from dataclasses import dataclass

from kindle.report.trains import State

# Okabe & Ito: distinguishable with every common colour vision deficiency.
ORANGE = "#E69F00"
SKY_BLUE = "#56B4E9"
GREEN = "#009E73"
BLUE = "#0072B2"
VERMILLION = "#D55E00"
PURPLE = "#CC79A7"
INK = "#1A1A1A"
GREY = "#6B6B6B"
PALE = "#DDDDDD"

FIGURE_WIDTH_IN = 7.4
"""Between the margins of an A4 page, so that the sizes below are the printed ones."""
LABEL_PT = 7.5
SMALL_PT = 7.0


@dataclass(frozen=True, slots=True)
class Mark:
    """How a state is drawn in a figure and written in text."""

    marker: str
    face: str
    edge: str
    symbol: str


MARKS: dict[State, Mark] = {
    State.AFTERDISCHARGE: Mark("^", VERMILLION, VERMILLION, "▲"),
    State.NONE: Mark("o", "white", BLUE, "○"),
    State.UNDETERMINED: Mark("D", ORANGE, INK, "◆"),
    State.VOID: Mark("x", GREY, GREY, "✕"),
    State.UNANSWERED: Mark("+", INK, INK, "+"),
}

CSS = f"""
:root {{ color-scheme: light; }}
* {{ box-sizing: border-box; }}
body {{ margin: 0 auto; padding: 28px 24px 48px; max-width: 1000px; background: white; color: {INK};
  font: 14px/1.45 "Segoe UI", "Helvetica Neue", Arial, "DejaVu Sans", sans-serif; }}
h1 {{ font-size: 24px; margin: 0; font-weight: 600; }}
h2 {{ font-size: 17px; margin: 34px 0 8px; padding-bottom: 3px; border-bottom: 1px solid {PALE}; font-weight: 600; }}
h3 {{ font-size: 14.5px; margin: 0 0 2px; font-weight: 600; }}
p {{ margin: 4px 0 8px; max-width: 78ch; }}
.about, figcaption, .quiet {{ color: {GREY}; }}
.about {{ margin-top: 2px; }}
.result {{ margin: 20px 0 10px; padding: 14px 18px; border-left: 6px solid {BLUE}; background: #F4F7FA; }}
.result strong {{ display: block; font-size: 27px; line-height: 1.25; font-weight: 600; overflow-wrap: anywhere; }}
.result p {{ margin: 6px 0 0; }}
table {{ border-collapse: collapse; width: 100%; font-size: 12.5px; font-variant-numeric: tabular-nums; }}
th, td {{ text-align: left; vertical-align: top; padding: 3px 8px 3px 0; overflow-wrap: anywhere; }}
th {{ border-bottom: 1.5px solid {INK}; font-weight: 600; vertical-align: bottom; overflow-wrap: normal; }}
tbody td {{ border-top: 1px solid {PALE}; }}
table.numbers {{ font-size: 11.5px; line-height: 1.3; }}
table.numbers th, table.numbers td {{ padding: 3px 6px 3px 0; overflow-wrap: normal; }}
table.numbers td {{ white-space: nowrap; }}
table.numbers tr:first-child th.none {{ border-bottom: 0; }}
table.numbers tr.why td {{ border-top: 0; padding-top: 0; color: {GREY}; white-space: normal;
  overflow-wrap: anywhere; }}
table.numbers th.group {{ border-bottom: 1px solid {GREY}; text-align: center; }}
table.keys {{ width: auto; }}
table.keys td:first-child {{ white-space: nowrap; padding-right: 18px; color: {GREY}; }}
.afterdischarge td.verdict {{ font-weight: 700; }}
.unverified {{ font-weight: 700; text-decoration: underline dotted; }}
.laboratory {{ font-weight: 700; }}
.warning {{ border-left: 4px solid {VERMILLION}; padding: 2px 0 2px 10px; }}
.trial {{ margin: 18px 0 26px; break-inside: avoid; }}
.trial p {{ margin: 0 0 4px; }}
figure {{ margin: 0; break-inside: avoid; }}
figure svg {{ width: 100%; height: auto; display: block; }}
figcaption {{ font-size: 12px; }}
table.sources td:nth-child(-n + 3) {{ white-space: nowrap; }}
table.sources td:nth-child(2) {{ white-space: normal; min-width: 9em; }}
code {{ font: 12px Consolas, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }}
dt {{ font-weight: 600; }}
dd {{ margin: 0 0 6px 0; max-width: 90ch; }}
@page {{ size: A4; margin: 12mm 11mm; }}
@media print {{
  body {{ padding: 0; max-width: none; font-size: 9.5pt; }}
  table {{ font-size: 8pt; }}
  table.numbers {{ font-size: 7pt; }}
  table.numbers th, table.numbers td {{ padding-right: 3px; }}
  thead {{ display: table-header-group; }}
  tr {{ break-inside: avoid; }}
  tr.why {{ break-before: avoid; }}
  h2, h3 {{ break-after: avoid; }}
  .result {{ print-color-adjust: exact; -webkit-print-color-adjust: exact; }}
}}
"""
