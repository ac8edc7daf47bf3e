"""A program in a thread of its own that moves only as far as it is let, and can end at any instant as if killed."""

from collections.abc import Callable
from threading import Lock, Thread, current_thread

from drivers.simulated.clock import Clock

HANGS_S = 120.0
"""Of the clock on the wall: a program that has not come to its next pause by then hangs."""


class Died(BaseException):
    """Stands for the end of the process at this instant."""


class Program:
    """``main`` runs between the calls of ``goes_on`` and nowhere else: nothing here depends on the scheduler."""

    def __init__(self, clock: Clock, main: Callable[["Program"], None]) -> None:
        self.over = False
        self.dead = False
        self.idle = False
        """It waits to be asked for something, and no time of its own passes."""
        self.wanted = False
        """It has been asked for something since it is idle."""
        self.in_exchange = False
        """It stands between a message to the stimulator and the answer."""
        self.lacks_answer = False
        """The answer did not come at once: it is late, or was lost, and is waited for."""
        self.error: BaseException | None = None
        self._clock = clock
        self._main = main
        self._until_us = 0
        self._to_message = False
        self._its_turn, self._our_turn = Lock(), Lock()
        self._its_turn.acquire()
        self._our_turn.acquire()
        self._thread = Thread(target=self._run, name="program under test", daemon=True)
        self._thread.start()

    def goes_on(self, seconds: float, *, to_message: bool = False) -> None:
        """For so long by the bench's clock, to its next exchange with the stimulator, or until it is idle or over."""
        if self.over:
            return
        until_us = self._clock.now_us() + round(seconds * 1e6)
        if self.idle and not self.wanted:
            self._clock.wait_until(until_us, 0.0)
            return
        self._until_us, self._to_message, self.wanted = until_us, to_message, False
        self.idle = False
        self._its_turn.release()
        if not self._our_turn.acquire(timeout=HANGS_S):
            raise AssertionError(f"the program hangs: {HANGS_S:g} s without a look at the clock")

    def dies(self) -> None:
        """Nothing that it does from here on reaches an instrument or the journal."""
        self.dead = self.wanted = True
        self.goes_on(0.0)
        self._thread.join()

    # What the program calls.

    def wait_until(self, t_us: int) -> None:
        """Bench time passes to ``t_us``, with a pause wherever it was let no further."""
        self.require_life()
        while self._until_us < t_us:
            self._clock.wait_until(self._until_us, 0.0)
            self._pause()
        self._clock.wait_until(t_us, 0.0)

    def comes_by_message(self) -> None:
        """Also called where a person stops the stimulator over the program's head: that needs no leave."""
        self.require_life()
        if self._to_message and current_thread() is self._thread:
            self.in_exchange = True
            self._pause()
            self.in_exchange = False

    def waits_for_answer(self, seconds: float) -> None:
        """Of the stimulator; time passes for whoever waits, a person who stops it over the program's head too."""
        t_us = self._clock.now_us() + round(seconds * 1e6)
        if current_thread() is self._thread:
            self.in_exchange = self.lacks_answer = True
            self.wait_until(t_us)
            self.in_exchange = self.lacks_answer = False
        else:
            self._clock.wait_until(t_us, 0.0)

    def waits_to_be_asked(self) -> None:
        self.idle = True
        self._pause()

    def require_life(self) -> None:
        if self.dead:
            raise Died

    def _pause(self) -> None:
        self._our_turn.release()
        self._its_turn.acquire()
        self.require_life()

    def _run(self) -> None:
        self._its_turn.acquire()
        try:
            self._main(self)
        except BaseException as error:
            self.error = error
        self.over = True
        self._our_turn.release()
