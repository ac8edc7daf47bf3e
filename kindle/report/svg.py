"""A figure as SVG that can stand inside a page with others: no outside reference, no name twice, no random byte."""

import html
import re
from io import StringIO

from matplotlib.figure import Figure

from kindle.report.markup import Html

_ID = re.compile(r'\bid="([^"]+)"')
_USE = re.compile(r'\b(id="|xlink:href="#|url\(#)([^")]+)')
_PATH = re.compile(r'\bd="[^"]*"')
_FINE = re.compile(r"(\.\d\d)\d+")
_NO_METADATA = dict.fromkeys(("Date", "Creator", "Format", "Type"))


def inline_svg(figure: Figure, name: str, description: str) -> Html:
    """``name`` is unique in the page; ``description`` is for those who cannot see the figure."""
    drawn = StringIO()
    figure.savefig(drawn, format="svg", metadata=_NO_METADATA)
    return inlined(drawn.getvalue(), name, description)


def inlined(text: str, name: str, description: str) -> Html:
    """The same of an SVG that matplotlib has written already."""
    body = text[text.index("<svg") :]
    opening, _, rest = body.partition(">")
    box = re.search(r'viewBox="[^"]*"', opening)
    assert box is not None, "matplotlib gives every SVG a viewBox"
    names = {old: f"{name}-{number}" for number, old in enumerate(dict.fromkeys(_ID.findall(rest)))}
    rest = _USE.sub(lambda use: use[1].removeprefix("xlink:") + names.get(use[2], use[2]), rest)
    # A hundredth of a point is finer than any printer, and halves the page.
    rest = _PATH.sub(lambda path: _FINE.sub(r"\1", path[0]), rest)
    return Html(f'<svg {box[0]} role="img" aria-label="{html.escape(description)}">{rest}')
