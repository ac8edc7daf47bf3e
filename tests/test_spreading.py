"""Work spread over processes: heard while it goes on, stopped when it is left, one line when it fails."""

import os
import threading
from collections.abc import Hashable
from pathlib import Path

import pytest

from kindle.errors import RecordingError
from kindle.spreading import Stopped, at_once, processes, tell


def counted(name: str, n: int) -> int:
    for k in range(n):
        tell(name, (k + 1) / n)
    return os.getpid()


def failing() -> None:
    raise RecordingError("a.edf cannot be read: copy it again")


def working_until_told(begun: Path) -> None:
    unhurried = threading.Event()
    for k in range(3000):
        tell("long", k / 3000)
        begun.touch()
        unhurried.wait(0.01)
    begun.with_name("done").touch()


def test_work_at_once_is_done_here_and_heard() -> None:
    heard: list[tuple[Hashable, float]] = []
    with at_once(lambda key, share: heard.append((key, share))) as executor:
        assert executor.submit(counted, "a", 2).result() == os.getpid()
    assert heard == [("a", 0.5), ("a", 1.0)]
    tell("a", 1.0)
    assert len(heard) == 2


def test_what_fails_at_once_fails_when_it_is_asked_for() -> None:
    with at_once() as executor:
        future = executor.submit(failing)
    with pytest.raises(RecordingError, match="copy it again"):
        future.result()


def test_work_in_processes_is_done_elsewhere_and_heard() -> None:
    heard: list[tuple[Hashable, float]] = []
    with processes(1, lambda key, share: heard.append((key, share))) as executor:
        assert executor.submit(counted, "a", 3).result() != os.getpid()
        with pytest.raises(RecordingError, match="copy it again"):
            executor.submit(failing).result()
    assert [share for _, share in heard] == pytest.approx([1 / 3, 2 / 3, 1])


def test_leaving_by_ctrl_c_stops_the_work_that_goes_on(tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    pressed = KeyboardInterrupt()

    def press() -> None:
        with processes(1) as executor:
            futures.append(executor.submit(working_until_told, begun))
            futures.append(executor.submit(working_until_told, tmp_path / "second"))
            while not begun.exists():
                pass
            raise pressed

    futures: list = []
    with pytest.raises(KeyboardInterrupt):
        press()
    assert isinstance(futures[0].exception(), Stopped)
    assert not (tmp_path / "done").exists()
    assert not (tmp_path / "second").exists() or isinstance(futures[1].exception(), Stopped)
