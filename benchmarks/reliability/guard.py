"""What reading somebody's file must never do, watched while it is read: write elsewhere, run code, hang, grow."""

import os
import resource
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from benchmarks.reliability.target import HANG_S

MEMORY_MB = 500
"""The most by which the process may grow."""

_STARTS_CODE = (
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.fork",
    "subprocess.Popen",
    "pickle.find_class",
    "marshal.loads",
    "ctypes.dlopen",
    "socket.connect",
)
_CHANGES_FILES = ("os.mkdir", "os.remove", "os.rmdir", "os.rename", "os.link", "os.symlink", "os.truncate", "os.chmod")
_TO_WRITE = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_HARMLESS = ("/dev/null",)
_OF_A_SEARCH = ("open", "os.remove", "subprocess.Popen", "os.posix_spawn", "os.fork")
"""What Python does to find a shared library of the system, in a module of its own."""


class Forbidden(BaseException):
    """Raised in the middle of the act, so that it does not happen; no ``except Exception`` may hide it."""


class Hung(BaseException):
    """Raised in whatever still runs when its time is over."""


@dataclass
class _Watch:
    inside: str = ""
    """The only folder in which files may be made; nothing is watched where it is empty."""
    seen: list[str] = field(default_factory=list)


_WATCH = _Watch()


@contextmanager
def watched(folder: Path) -> Iterator[list[str]]:
    """What was tried and stopped is put down in the list, whether or not somebody caught the error."""
    _install()
    _WATCH.inside, _WATCH.seen = os.path.realpath(folder), []
    try:
        yield _WATCH.seen
    finally:
        _WATCH.inside = ""


@contextmanager
def limited(seconds: float = HANG_S) -> Iterator[None]:
    """``Hung`` is raised in what is inside when its time is over.

    Of the processor, which a busy computer does not change; whoever waits for something has ten times as long.
    """
    timers = ((signal.ITIMER_PROF, signal.SIGPROF, seconds), (signal.ITIMER_REAL, signal.SIGALRM, 10 * seconds))
    previous = [signal.signal(number, _interrupt) for _, number, _ in timers]
    for timer, _, most_s in timers:
        signal.setitimer(timer, most_s)
    try:
        yield
    finally:
        for (timer, number, _), handler in zip(timers, previous, strict=True):
            signal.setitimer(timer, 0)
            signal.signal(number, handler)


@contextmanager
def bounded_memory() -> Iterator[None]:
    """More than ``MEMORY_MB`` beyond what is used now is a ``MemoryError``."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    used_bytes = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used_bytes + MEMORY_MB * 1_000_000, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise Hung


_installed: list[bool] = []


def _install() -> None:
    if not _installed:
        _installed.append(True)
        sys.addaudithook(_judge)  # for the life of the process: Python has no way to take one back


def _judge(event: str, arguments: tuple[object, ...]) -> None:
    if not _WATCH.inside or (event in _OF_A_SEARCH and _is_within("ctypes/util.py")):
        return
    if event == "open":
        path, _, flags = (*arguments, None, None, None)[:3]
        writes = isinstance(flags, int) and bool(flags & _TO_WRITE)
        if writes and not isinstance(path, int) and not _inside(path):
            _stop(f"opens {path!r} for writing")
    elif event in _CHANGES_FILES:
        paths = [_absolute(path, arguments) for path in arguments if isinstance(path, str | bytes | os.PathLike)]
        if outside := [path for path in paths if not _inside(path)]:
            _stop(f"{event} {outside[0]!r}")
    elif event in _STARTS_CODE and not (event == "marshal.loads" and _is_importing()):
        _stop(f"{event} {str(arguments)[:100]}")
    elif event == "exec" and not _from_a_source_file(arguments[0]):
        _stop("runs code that stands in no source file")


def _absolute(path: str | bytes | os.PathLike[str], arguments: tuple[object, ...]) -> str:
    """A name beside an open folder is one in that folder: `shutil.rmtree` works so."""
    folders = [number for number in arguments if isinstance(number, int) and Path(f"/proc/self/fd/{number}").is_dir()]
    name = os.fsdecode(path)
    return os.path.join(os.readlink(f"/proc/self/fd/{folders[-1]}"), name) if folders else name  # noqa: PTH115, PTH118


def _inside(path: object) -> bool:
    real = os.path.realpath(os.fsdecode(path))  # type: ignore[arg-type]
    return real.startswith((_WATCH.inside + os.sep, *_HARMLESS)) or real == _WATCH.inside


def _from_a_source_file(code: object) -> bool:
    """Modules that are imported late; dataclasses and named tuples in them are made from text, under ``<string>``."""
    name = getattr(code, "co_filename", "")
    return name.endswith(".py") or "importlib" in name or _is_importing()


def _is_importing() -> bool:
    return _is_within("importlib._bootstrap")


def _is_within(source: str) -> bool:
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        if source in frame.f_code.co_filename:
            return True
        frame = frame.f_back
    return False


def _stop(what: str) -> None:
    _WATCH.seen.append(what)
    raise Forbidden(what)
