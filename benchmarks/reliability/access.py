"""Access: who can reach the emulated instruments, who can read the files, and what a hostile text does to a page."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

from benchmarks.reliability.access_pages import browsed, hostile_studies, pages
from benchmarks.reliability.result import Result
from benchmarks.reliability.scratch import scratch

_LISTENING = "0A"
_LOOPBACK = ("0100007F", "00000000000000000000000001000000", "0000000000000000FFFF00000100007F")
"""127.0.0.1, ::1 and 127.0.0.1 within IPv6, as Linux shows them."""
_UMASK = 0o077
_PROGRAM = 0o7111
"""To be run, by anybody or as somebody else."""


def run(quick: bool, seconds: float) -> Result:
    servers = _servers()
    before = os.umask(_UMASK)
    try:
        with scratch() as made:
            studies, refused = hostile_studies(Path(made))
            checks = [servers, _rights(studies[0]), pages(studies), browsed(studies)]
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
    """Where the user lets nobody else read, kindle lets nobody either; and no file is a program."""
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (study, *study.rglob("*"))}
    wrong = [
        f"{path.name} has rights {mode:o} under umask {_UMASK:03o}"
        for path, mode in modes.items()
        if mode & (_UMASK if path.is_dir() else _UMASK | _PROGRAM)
    ]
    return f"rights: {len(modes)} files and folders, {len(wrong)} with more than the user's", wrong
