"""docs/observed_tests.md as a person follows it: its study.toml is read, and each of its commands runs."""

import io
import shlex
import sys
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from kindle.cli import main

PAGE = Path(__file__).parents[1] / "docs" / "observed_tests.md"


def indented() -> list[str]:
    """The settings and the commands of the page, block by block."""
    blocks: list[list[str]] = [[]]
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("    "):
            blocks[-1].append(line[4:])
        elif line and blocks[-1]:
            blocks.append([])
    return ["\n".join(block) for block in blocks if block]


def said(*words: str) -> str:
    out = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out):
        patch.setattr(sys, "argv", ["kindle", *words])
        patch.setattr(sys, "stdin", io.StringIO())
        main()
    return out.getvalue()


def test_every_command_of_the_page_does_what_it_says(tmp_path: Path) -> None:
    settings, *rest = indented()
    commands = [line.strip() for block in rest for line in block.splitlines() if line.strip()]
    assert all(line.startswith("kindle ") for line in commands)
    folder = tmp_path / "study"
    said("study", "init", str(folder))
    (folder / "study.toml").write_text(f'name = "page"\n{settings}\n', encoding="utf-8")
    told: dict[str, str] = {}
    for line in commands:
        line = line.replace("STUDY", str(folder)).replace("../key.json", str(tmp_path / "key.json"))
        words = shlex.split(line.replace("NAME", "Ada").replace("TEXT", "done"))[1:]
        told[" ".join(words[:2])] = said(*words)
    assert told["due " + str(folder)].startswith("R01  naive: DUE ptz (kindling): dose 1, 35 mg/kg")
    assert "inject 0.87 ml pentylenetetrazol i.p., really 34.8 mg/kg" in told["preview ptz"]
    assert "pentylenetetrazol was not injected" in told["run ptz"]
    assert "sodium valproate was not injected" in told["run electroshock"]
    assert "150 mA, 60 Hz sine, 0.2 s, corneal electrodes" in told["preview electroshock"]
    assert sorted(told["study design"].split()) in (["A", "R01"], ["B", "R01"])
    assert "A  " in told["unblind " + str(folder)]
    assert "has no test of a treatment yet" in told["study responders"]


def test_the_models_of_the_page_are_those_of_the_program() -> None:
    from typing import get_args

    from kindle.course_plan import Model

    rows = [line.split("`")[1] for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    assert sorted(rows) == sorted(get_args(Model))
