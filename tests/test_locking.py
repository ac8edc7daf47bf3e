"""One process at a time."""

import subprocess
import sys
from pathlib import Path

import pytest

from kindle.errors import KindleError
from kindle.locking import Busy, exclusive

HOLD = """
import sys
from pathlib import Path
from kindle.locking import exclusive
with exclusive(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_holder_is_refused_in_the_same_process(tmp_path: Path) -> None:
    lock = tmp_path / "animal.lock"
    with exclusive(lock), pytest.raises(Busy, match=r"animal\.lock is held by another kindle"), exclusive(lock):
        pass


def test_the_lock_is_free_again_after_use_even_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), exclusive(tmp_path / "animal.lock"):
        raise ZeroDivisionError
    with exclusive(tmp_path / "animal.lock"):
        assert [path.name for path in tmp_path.iterdir()] == ["animal.lock"]


def test_a_killed_holder_leaves_no_lock_behind(tmp_path: Path) -> None:
    lock = tmp_path / "rig.lock"
    command = [sys.executable, "-c", HOLD, str(lock)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline().strip() == b"held"
        with pytest.raises(Busy), exclusive(lock):
            pass
        holder.kill()
    with exclusive(lock):
        assert lock.stat().st_size == 0


def test_a_lock_that_cannot_be_made_says_where(tmp_path: Path) -> None:
    with pytest.raises(KindleError, match=r"cannot lock .*nowhere"), exclusive(tmp_path / "nowhere" / "x.lock"):
        pass
