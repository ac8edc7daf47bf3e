"""Access: who can reach the emulated instruments, who can read the files, and what a hostile text does to a page."""

import json
import os
import stat
import subprocess
import sys
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path

from benchmarks.reliability.guard import scratch
from benchmarks.reliability.result import Result
from benchmarks.reliability.specimen import ANIMAL, STUDY, kindle

_TAG = "hostile-tag"
_TEXT = f"\"'><{_TAG} onload=x></script><{_TAG}>&amp;"
"""Where it is not escaped, one of its elements comes to be, or the text is read back as something else."""
_LISTENING = "0A"
_LOOPBACK = ("0100007F", "00000000000000000000000001000000", "0000000000000000FFFF00000100007F")
"""127.0.0.1, ::1 and 127.0.0.1 within IPv6, as Linux shows them."""
_UMASK = 0o077


def run(quick: bool, seconds: float) -> Result:
    servers = _servers()
    before = os.umask(_UMASK)
    try:
        with scratch() as made:
            study, refused = _hostile_study(Path(made))
            checks = [servers, _rights(study), _pages(study)]
    finally:
        os.umask(before)
    wrong = [*refused, *(what for _, found in checks for what in found)]
    return Result((*(line for line, _ in checks), *wrong), not wrong)


def _servers() -> tuple[str, list[str]]:
    """Every listening socket of the emulated rig."""
    command = [sys.executable, "-m", "drivers.simulated", "--threshold-ua", "60", "--wire", "tcp"]
    wrong: list[str] = []
    n = 0
    for kind in ("pulsepal", "stimjim", "am4100"):
        with subprocess.Popen([*command, "--stimulator", kind], stdin=-1, stdout=-1, text=True) as rig:
            assert rig.stdin is not None
            assert rig.stdout is not None
            json.loads(rig.stdout.readline())
            listening = _listening(rig.pid)
            n += len(listening)
            wrong += [f"the emulated {kind} listens on {place}, not on loopback" for place in listening.values()
                      if place not in _LOOPBACK]  # fmt: skip
            if len(listening) < 2:
                wrong.append(f"the emulated {kind} has {len(listening)} listening sockets; 2 were expected")
            rig.stdin.close()
    return f"servers: {n} listening sockets of 3 emulated rigs looked at", wrong


def _listening(pid: int) -> dict[str, str]:
    """Address, as the system writes it, of each listening socket by its inode."""
    mine = {str(path.readlink()) for path in Path(f"/proc/{pid}/fd").iterdir()}
    rows = [
        line.split() for name in ("tcp", "tcp6") for line in Path(f"/proc/{pid}/net/{name}").read_text().splitlines()
    ]
    return {row[9]: row[1].partition(":")[0] for row in rows if row[3] == _LISTENING and f"socket:[{row[9]}]" in mine}


def _rights(study: Path) -> tuple[str, list[str]]:
    """Where the user lets nobody else read, kindle lets nobody either."""
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (study, *study.rglob("*"))}
    wrong = [
        f"{path.name} has rights {mode:o} under umask {_UMASK:03o}" for path, mode in modes.items() if mode & _UMASK
    ]
    return f"rights: {len(modes)} files and folders, {len(wrong)} with more than the user's", wrong


class _Page(HTMLParser):
    def __init__(self, content: str) -> None:
        super().__init__()
        self.elements = 0
        self.hostile: list[str] = []
        self.text = ""
        self.feed(content)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements += 1
        if tag == _TAG or any(name.startswith("on") for name, _ in attrs):
            self.hostile.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def _hostile_study(folder: Path) -> tuple[Path, list[str]]:
    """A study in which every text that a person may write is hostile, and the commands that did not take it."""
    study = folder / "study"
    where = ("--study", str(study))
    ran = [kindle("study", "init", str(study))]
    (study / "study.toml").write_text(STUDY.replace('"specimen"', json.dumps(_TEXT)))
    rig = (files("kindle") / "rigs" / "simulated.toml").read_text(encoding="utf-8")
    (study / "rig.toml").write_text(rig.replace('"simulated"', json.dumps(_TEXT), 1))
    ran += [
        kindle("animal", "add", ANIMAL, *where, "--strain", _TEXT, "--sex", _TEXT, "--note", _TEXT),
        kindle("run", "threshold", *where, "--animal", ANIMAL),
        kindle("amend", *where, "--reason", _TEXT, "--by", _TEXT, "1", "note", _TEXT + "2"),
        kindle("report", str(study)),
    ]
    return study, [f"kindle {one.args[3:5]}: {one.stderr.strip()[-300:]}" for one in ran if one.returncode]


def _pages(study: Path) -> tuple[str, list[str]]:
    pages = {path: _Page(path.read_text(encoding="utf-8")) for path in study.rglob("*.html")}
    shown = sum(page.text.count(_TEXT) for page in pages.values())
    wrong = [f"{path.name}: the text made {len(page.hostile)} elements" for path, page in pages.items() if page.hostile]
    if len(pages) < 2 or shown < 4:
        wrong.append(f"{len(pages)} pages show the text {shown} times; 4 times on 2 pages were expected")
    elements = sum(page.elements for page in pages.values())
    return f"pages: {elements} elements of {len(pages)} pages, the hostile text shown {shown} times", wrong
