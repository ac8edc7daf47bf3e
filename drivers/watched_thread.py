"""A thread that owns something which may hang, and callers who do not wait for ever."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import TypeVar

T = TypeVar("T")


class NoAnswer(Exception):
    """The deadline passed; the work may still be going on."""


class WatchedThread:
    """Does what is submitted, in order, in one daemon thread: a hung call cannot keep the program from ending."""

    def __init__(self, name: str) -> None:
        self._queue: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        threading.Thread(target=self._work, name=name, daemon=True).start()

    def submit(self, work: Callable[[], T]) -> Future[T]:
        future: Future[T] = Future()

        def done() -> None:
            try:
                future.set_result(work())
            except BaseException as error:
                future.set_exception(error)

        self._queue.put(done)
        return future

    def finish(self) -> None:
        """End the thread after what was submitted so far; does not wait."""
        self._queue.put(None)

    def _work(self) -> None:
        while (job := self._queue.get()) is not None:
            job()


def result_within(deadline_s: float, future: Future[T]) -> T:
    """The result, or its exception; ``NoAnswer`` after ``deadline_s``."""
    try:
        return future.result(deadline_s)
    except TimeoutError:
        if future.done():
            raise
        raise NoAnswer(f"no answer within {deadline_s:.3g} s") from None
