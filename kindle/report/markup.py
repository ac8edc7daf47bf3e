"""HTML that is safe by construction: text becomes markup only by being escaped."""

import html
from collections.abc import Sequence


class Html(str):
    """Markup; any other ``str`` is text."""

    __slots__ = ()


NOTHING = Html("")


def escaped(content: str) -> Html:
    return content if isinstance(content, Html) else Html(html.escape(content))


def element(tag: str, *content: str, **attributes: str) -> Html:
    """``class_`` gives ``class``; text in ``content`` and every attribute is escaped."""
    named = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{html.escape(value)}"' for name, value in attributes.items()
    )
    return Html(f"<{tag}{named}>{''.join(escaped(part) for part in content)}</{tag}>")


def joined(*parts: str) -> Html:
    return Html("\n".join(escaped(part) for part in parts if part))


def table(headers: tuple[str, ...], rows: Sequence[tuple[str, ...]], *, class_: str = "") -> Html:
    """Nothing where there are no rows."""
    if not rows:
        return NOTHING
    head = element("thead", element("tr", *(element("th", header, scope="col") for header in headers)))
    body = element("tbody", *(element("tr", *(element("td", cell) for cell in row)) for row in rows))
    return element("table", head, body, class_=class_)


def section(title: str, *content: str) -> Html:
    return element("section", element("h2", title), *content)
