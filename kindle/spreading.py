"""Work that is spread over processes: its progress is heard while it goes on, and it stops when it is told to.

A function that is spread calls ``tell`` now and then. Any ``concurrent.futures.Executor`` can run it, one of a cluster
as well: there nobody hears the progress, and the results are the same.
"""

import multiprocessing
import signal
import threading
from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any, ParamSpec, TypeVar

from kindle.errors import ConfigError, KindleError

P = ParamSpec("P")
T = TypeVar("T")
Heard = Callable[[Hashable, float], None]

CONNECT_S = 10.0
"""How long a scheduler may take to answer."""


class Stopped(KindleError):
    """The work was told to stop before it was done."""


def _nobody(key: Hashable, share: float) -> None:
    """Nobody hears the progress."""


_heard: Heard = _nobody


def tell(key: Hashable, share: float) -> None:
    """``share`` of the work named ``key`` is done. Raises ``Stopped`` when no more of it is wanted."""
    _heard(key, share)


@contextmanager
def at_once(heard: Heard = _nobody) -> Iterator[Executor]:
    """An executor that does the work where it is handed over, in this process."""
    global _heard
    before, _heard = _heard, heard
    try:
        yield _AtOnce()
    finally:
        _heard = before


class _AtOnce(Executor):
    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> "Future[T]":
        future: Future[T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


@contextmanager
def processes(n: int, heard: Heard = _nobody) -> Iterator[Executor]:
    """An executor of ``n`` processes; left by an exception, Ctrl-C too, their work ends at its next ``tell``.

    ``heard`` is called from a thread of its own.
    """
    context = multiprocessing.get_context("spawn")
    told, stop = context.Queue(), context.Event()
    listener = threading.Thread(target=_listen, args=(told, heard), name="progress", daemon=True)
    listener.start()
    pool = ProcessPoolExecutor(n, mp_context=context, initializer=_in_worker, initargs=(told, stop))
    try:
        with _deaf_to_ctrl_c():
            # The first task starts the processes, and they inherit what is ignored.
            pool.submit(_nothing).result()
        yield pool
    except BaseException:
        stop.set()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        told.put(None)
        listener.join()
        told.close()


@dataclass(frozen=True, slots=True)
class Cluster:
    executor: Executor
    n_threads: int
    """Of all workers that are there now."""


@contextmanager
def cluster(address: str) -> Iterator[Cluster]:
    """The Dask cluster whose scheduler answers at ``address``; nobody hears the progress within a task.

    Raises ``ConfigError`` where distributed is not installed, no scheduler answers, or it has no workers.
    """
    try:
        distributed: Any = import_module("distributed")
    except ImportError:
        raise ConfigError(
            "--scheduler needs dask.distributed: install it with pip install 'kindle-eeg[cluster]'"
        ) from None
    try:
        client = distributed.Client(address, timeout=CONNECT_S, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise ConfigError(
            f"no Dask scheduler answers at {address!r} ({type(error).__name__}): give its address, such as "
            "tcp://host:8786, as dask scheduler prints it"
        ) from None
    with client:
        n_threads = sum(client.nthreads().values())
        if not n_threads:
            raise ConfigError(f"the Dask scheduler at {address} has no workers: start them with dask worker {address}")
        # A task that was done before is another one all the same: two files may change in between.
        yield Cluster(client.get_executor(pure=False), n_threads)


def _listen(told: Any, heard: Heard) -> None:
    while (message := told.get()) is not None:
        heard(*message)


def _in_worker(told: Any, stop: Any) -> None:
    global _heard
    # The process at the terminal hears Ctrl-C, and tells the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def report(key: Hashable, share: float) -> None:
        if stop.is_set():
            raise Stopped("the analysis was stopped")
        told.put((key, share))

    _heard = report


@contextmanager
def _deaf_to_ctrl_c() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _nothing() -> None:
    """Work that is done at once."""
