"""Every recipe of docs/api.md, run in the order of the page: each prints what the page says that it prints."""

import re
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[1] / "docs" / "api.md"


def test_each_recipe_of_the_page_prints_what_stands_under_it() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert re.findall(r"^## (\d)\.", text, re.MULTILINE) == list("12345")
    names: dict[str, Any] = {}
    printed = StringIO()
    n_compared = 0
    for kind, block in re.findall(r"```(\w+)\n(.*?)```", text, re.DOTALL):
        if kind == "python":
            printed = StringIO()
            with redirect_stdout(printed):
                exec(compile(block, str(PAGE), "exec"), names)
        else:
            assert printed.getvalue() == block
            n_compared += 1
    assert n_compared == 5
