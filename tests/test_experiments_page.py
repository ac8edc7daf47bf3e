"""Every command of docs/experiments.md, typed in its order: each shows what the page says that it shows."""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from technician import Technician

PAGE = Path(__file__).parents[1] / "docs" / "experiments.md"
SKIPPED = "…"


@dataclass
class Typed:
    """``shown`` are lines of the screen; ``said`` what was typed in answer to its questions, in their order."""

    command: str
    shown: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)


def steps() -> Iterator[Typed | datetime | str]:
    """Commands, dates on which they are typed, and the text of study.toml, as they come on the page."""
    for kind, block in re.findall(r"```(console|toml)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL):
        if kind == "toml":
            yield block
            continue
        typed: Typed | None = None
        for line in block.splitlines():
            if line.startswith(("# ", "$ ")) and typed is not None:
                yield typed
                typed = None
            if line.startswith("# "):
                yield datetime.fromisoformat(line.removeprefix("# ")).replace(tzinfo=UTC)
            elif line.startswith("$ "):
                typed = Typed(line.removeprefix("$ "))
            else:
                assert typed is not None, line
                question, colon, said = line.partition(": ")
                if " / " in question and colon:
                    typed.said.append(said)
                typed.shown.append(line)
        if typed is not None:
            yield typed


def as_on_the_page(line: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(" ".join(part.split())) for part in line.split(SKIPPED)))


@pytest.mark.skipif(sys.platform == "win32", reason="the page shows paths as POSIX writes them")
def test_each_command_of_the_page_shows_what_the_page_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    person = Technician(tmp_path, datetime(2026, 2, 2, tzinfo=UTC), lambda question, choices: said.pop(0))
    n_commands = 0
    for step in steps():
        match step:
            case datetime():
                person.comes_in(step)
            case str():
                (tmp_path / "epilepsy" / "study.toml").write_text(step, encoding="utf-8")
            case Typed(command, shown, answers):
                said[:] = answers
                refused = any(line.startswith("kindle: ") for line in shown)
                lines = person.types(command, leaves=1 if refused else 0).splitlines()
                missing = [line for line in shown if line != SKIPPED and not shows(lines, line)]
                assert missing == [], f"{command}\n" + "\n".join(lines)
                assert said == [], command
                n_commands += 1
    assert n_commands > 30


def shows(lines: list[str], expected: str) -> bool:
    """Whether a line of the screen is the expected one; how it is spaced does not matter."""
    return any(as_on_the_page(expected).fullmatch(" ".join(line.split())) for line in lines)
