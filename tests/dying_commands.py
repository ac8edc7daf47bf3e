"""A kindle command in a process that is killed just before it touches a file of the study for the n-th time."""

import multiprocessing
import os
import signal
import sys
from pathlib import Path
from typing import Any

from click.testing import CliRunner

import kindle.export.tables
import kindle.importing
import kindle.report.study_page  # here, so that it is loaded once and not in every process  # noqa: F401
from kindle import cli

_CHANGES = ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "sqlite3.connect")
_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload([__name__])


def n_touched(command: list[object], under: Path) -> int:
    """How often the whole command touches files below ``under``; it must succeed."""
    ends, far_end = _PROCESSES.Pipe(duplex=False)
    child = _PROCESSES.Process(target=_run, args=([str(word) for word in command], str(under), None, far_end))
    child.start()
    far_end.close()
    told = ends.recv()
    child.join()
    assert isinstance(told, int), told
    assert told > 0, f"{command} touched nothing"
    return told


def killed(command: list[object], under: Path, at: int) -> None:
    child = _PROCESSES.Process(target=_run, args=([str(word) for word in command], str(under), at, None))
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL, f"{command} came to its end before it touched {at} files"


def _run(command: list[str], under: str, dies_at: int | None, told: Any) -> None:
    n = 0

    def touched(event: str, given: tuple[Any, ...]) -> None:
        nonlocal n
        if event not in _CHANGES or not any(under in str(one) for one in given[:2]):
            return
        if event == "open" and not given[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            return
        n += 1
        if n == dies_at:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(touched)
    done = CliRunner().invoke(cli.kindle, command)
    if told is not None:
        told.send(n if done.exit_code == 0 else f"{done.output}{done.exception!r}")
