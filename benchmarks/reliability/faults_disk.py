"""The study's disk in mid-session: full, gone, or no longer to be written. POSIX.

With the right to mount, on a small disk of its own. Without, a limit on the size of files takes the place of the full
disk, and permissions that of the read-only folder, which root would not heed.
"""

import os
import resource
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import mne

from benchmarks.reliability.faults import Trigger, resumed, session
from benchmarks.reliability.faults_bench import FaultyBench, faulty_bench
from benchmarks.reliability.kill_sessions import ANIMAL, STUDY
from benchmarks.reliability.result import Result
from kindle.rows import Animal
from kindle.study import create_study, open_study
from kindle.verification import verify_study

STATES = ("resting", "arming", "in the train", "watching")
PLANS, QUICK_PLANS = ("kindling", "rising", "drug test"), ("kindling",)
DISK_KB = 1500
STOPPED_S = 0.05

Act = Callable[[Path], None]
"""Done to the study folder."""
Disk = Callable[[], AbstractContextManager[Path]]


def run(quick: bool, seconds: float, *, mounting: bool | None = None) -> Result:
    """Each fault of the disk in each state; afterwards it is undone, and the session resumed.

    ``mounting`` is whether to use the right to mount; by default where there is one.
    """
    mne.set_log_level("ERROR")
    ends_s = time.monotonic() + seconds
    mounting = _may_mount() if mounting is None else mounting
    lines, findings = list[str](), list[str]()
    faults = _ON_A_DISK_OF_ITS_OWN if mounting else _WITHOUT_MOUNTING
    if "folder made read-only" not in faults:
        lines.append("folder made read-only: left out, root may write everywhere and nothing may be mounted")
    for name, (fail, undo) in faults.items():
        for plan in QUICK_PLANS if quick else PLANS:
            for state in STATES:
                if time.monotonic() > ends_s:
                    lines.append(f"{name}, {plan}, {state}: left out")
                    continue
                said, wrong = _disturbed(plan, state, fail, undo, _small_disk if mounting else _ordinary_disk)
                lines.append(f"{name}, {plan}, {state}: {said}")
                findings += [f"{name}, {plan}, {state}: {what}" for what in wrong]
    return Result((*lines, *findings), not findings)


def _disturbed(plan: str, state: str, fail: Act, undo: Act, new_disk: Disk) -> tuple[str, list[str]]:
    """What the person was told, and what must not be."""
    wrong = []
    with new_disk() as disk, tempfile.TemporaryDirectory(prefix="kindle-notes-") as notes, faulty_bench() as bench:
        folder = disk / "study"
        create_study(folder, STUDY)
        with open_study(folder) as study:
            study.add_animal(Animal(ANIMAL), datetime.now(UTC))
        outcome, message = session(plan, folder, Path(notes), bench, Trigger(state, lambda: fail(folder)))
        current_s = bench.current_s
        if outcome == "traceback":
            wrong.append(f"no sentence but {message}")
        if outcome == "stopped" and current_s > STOPPED_S:
            wrong.append(f"current flowed for {current_s:.2f} s after the end of the session")
        undo(folder)
        wrong += _unreadable(folder)
        wrong += _gone_on(plan, folder, Path(notes), bench)
    return message.replace(f"{disk}/", "") or "went on to its end", wrong


def _unreadable(folder: Path) -> Iterator[str]:
    for header in sorted(folder.rglob("signal*.vhdr")):
        try:
            mne.io.read_raw_brainvision(header)
        except Exception as error:
            yield f"MNE does not open {header.name}: {error}"


def _gone_on(plan: str, folder: Path, notes: Path, bench: FaultyBench) -> Iterator[str]:
    with open_study(folder) as study:
        views = study.sessions()
    yield from resumed(plan, folder, notes, bench, views)
    yield from (str(problem) for problem in verify_study(folder))


def _may_mount() -> bool:
    try:
        with _small_disk():
            return True
    except (OSError, subprocess.CalledProcessError):
        return False


@contextmanager
def _ordinary_disk() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="kindle-disk-") as place:
        try:
            yield Path(place)
        finally:
            _lift_limit(Path(place))


@contextmanager
def _small_disk() -> Iterator[Path]:
    """A disk of its own in memory."""
    with tempfile.TemporaryDirectory(prefix="kindle-disk-") as place:
        mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_KB}k", "tmpfs", place]
        subprocess.run(mount, check=True, stderr=subprocess.DEVNULL)
        try:
            yield Path(place)
        finally:
            subprocess.run(["umount", "--lazy", place], check=True)


def _fill(folder: Path) -> None:
    with suppress(OSError), (folder.parent / "filling").open("wb", buffering=0) as file:
        while file.write(bytes(4096)) == 4096:
            pass


def _free(folder: Path) -> None:
    (folder.parent / "filling").unlink()


def _take_away(folder: Path) -> None:
    folder.rename(folder.with_name("elsewhere"))


def _bring_back(folder: Path) -> None:
    away = folder.with_name("elsewhere")
    if folder.exists():
        shutil.rmtree(folder)
    away.rename(folder)


def _forbid(folder: Path) -> None:
    """Read-only for whoever opens anything from now on, also for root."""
    subprocess.run(["mount", "--bind", str(folder), str(folder)], check=True)
    subprocess.run(["mount", "-o", "remount,bind,ro", str(folder)], check=True)


def _allow(folder: Path) -> None:
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def _limit_sizes(folder: Path) -> None:
    """No file of this process grows beyond what the signal is now."""
    size = max((path.stat().st_size for path in folder.rglob("signal*.eeg")), default=0)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


def _lift_limit(folder: Path) -> None:
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))


def _take_rights(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o500 if path.is_dir() else 0o400)


def _give_rights(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o600)


_AWAY = {"folder taken away": (_take_away, _bring_back)}
_ON_A_DISK_OF_ITS_OWN: dict[str, tuple[Act, Act]] = {
    "disk full": (_fill, _free),
    **_AWAY,
    "folder made read-only": (_forbid, _allow),
}
_WITHOUT_MOUNTING: dict[str, tuple[Act, Act]] = {
    "files may not grow": (_limit_sizes, _lift_limit),
    **_AWAY,
    **({} if os.geteuid() == 0 else {"folder made read-only": (_take_rights, _give_rights)}),
}
