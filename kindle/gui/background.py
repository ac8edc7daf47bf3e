"""Reading journals takes time: it is done in a thread of its own, and what came of it is handed over between frames."""

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from kindle.telling import told

LOG = logging.getLogger(__name__)

T = TypeVar("T")


class Background:
    """One task after the other. Of tasks of the same name only the last one is heard of."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(1, "reading")
        self._waiting: dict[str, tuple[Future[Any], Callable[[Any], None], Callable[[str], None]]] = {}

    def ask(self, name: str, task: Callable[[], T], then: Callable[[T], None], failed: Callable[[str], None]) -> None:
        if name in self._waiting:
            self._waiting[name][0].cancel()
        self._waiting[name] = (self._threads.submit(task), then, failed)

    def hand_over(self) -> None:
        """Call back, in this thread, for everything that is done."""
        done = [name for name, (future, _, _) in self._waiting.items() if future.done()]
        for name in done:
            future, then, failed = self._waiting.pop(name)
            error = future.exception()
            if error is None:
                then(future.result())
                continue
            sentence = told(error)
            if sentence is None:
                LOG.error("%s failed", name, exc_info=error)
                sentence = f"a mistake of the program, {type(error).__name__}: {error}"
            failed(sentence)

    @property
    def idle(self) -> bool:
        return not self._waiting

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
