"""The outputs of an NI board as the language of a one-shot stimulator; every call has a deadline, any may hang."""

import logging
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from typing import Protocol, TypeVar

from drivers.daq_output import Armed, BoardFacts, OutputPort, Pins, Programme
from drivers.interface import DeliveredTrain, DeviceNotFound, DeviceRefused, LinkLost, PulseTrain
from drivers.watched_thread import NoAnswer, WatchedThread, result_within

LOG = logging.getLogger(__name__)

OPEN_S = 15.0
CALL_S = 3.0
STOP_S = 1.0
END_S = 0.1
"""How much later than its marker a train may be over."""

SETTLE_S = 1.0
"""How much longer than asked a train may take that a stimulator times itself."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Planned:
    """A train for the board, and what comes out of what the board made of it, or ``DeviceRefused``."""

    programme: Programme
    delivered: Callable[[Armed], DeliveredTrain]


class Plan(Protocol):
    """One kind of stimulator behind a board: what it needs, and what a train is in the board's terms."""

    def accept(self, facts: BoardFacts) -> str:
        """What stands behind the board, for the record. Raises ``DeviceRefused`` for a board that cannot do it."""
        ...

    def plan(self, train: PulseTrain, facts: BoardFacts) -> Planned:
        """Raises ``DeviceRefused``."""
        ...

    @property
    def stops_with_the_board(self) -> bool:
        """Whether no current can flow once the board's pins are at 0 V."""
        ...


class BoardDialogue:
    """A ``Dialogue`` of ``OneShot``. One thread owns the port; what hangs stays in it, with the stop waiting behind."""

    def __init__(self, where: str, plan: Plan, open_port: Callable[[], OutputPort]) -> None:
        self._where = where
        self._plan = plan
        self._open_port = open_port
        self._port: OutputPort | None = None
        self._thread: WatchedThread | None = None
        self._facts = BoardFacts("")
        self._train_s = 0.0
        self._plays_until_s = 0.0
        """By this computer's clock; only asked about a stimulator that does not stop with the board."""

    @property
    def address(self) -> str:
        return self._where

    def open(self) -> None:
        """Also frees a port that hangs: the old one is left to its own thread."""
        self.close()
        port, self._thread = self._open_port(), WatchedThread(f"outputs of {self._where}")
        self._port = port
        try:
            self._facts = result_within(OPEN_S, self._submit(port.open))
        except NoAnswer as silence:
            raise DeviceNotFound(f"{self._where} hangs: {silence}; restart the device or its server") from None

    def prove(self) -> str:
        behind = self._plan.accept(self._facts)
        self._call("setting its outputs to 0 V", CALL_S, self._connected().silence)
        return f"{behind} on {self._facts.identity}"

    def programme(self, train: PulseTrain) -> DeliveredTrain:
        planned = self._plan.plan(train, self._facts)
        armed = self._call("loading the train", CALL_S, lambda: self._connected().arm(planned.programme))
        try:
            delivered = planned.delivered(armed)
        except DeviceRefused:
            self.silence()
            raise
        self._train_s = delivered.train_s
        return delivered

    def trigger(self) -> None:
        self._plays_until_s = monotonic() + self._train_s + SETTLE_S
        try:
            self._call("starting the train", CALL_S, self._connected().start)
        except LinkLost:
            self.send_stop()  # behind a start that hangs: if it comes after all, it is stopped at once
            raise

    def read_outcome(self) -> None:
        if not self._call("ending the train", CALL_S, lambda: self._connected().done(END_S)):
            raise LinkLost(f"{self._where}: the board is still playing when the train should be over: stop it")
        self._plays_until_s = 0.0

    def silence(self) -> None:
        self._call("setting its outputs to 0 V", CALL_S, self._connected().silence)

    def send_stop(self) -> None:
        port = self._connected()
        self._submit(port.silence).add_done_callback(_log_failure(self._where))

    def prove_stop(self) -> bool:
        """Pins at 0 V; where the stimulator does not follow them, also that its train must be over."""
        self._call("stopping", STOP_S, self._connected().silence)
        return self._plan.stops_with_the_board or monotonic() > self._plays_until_s

    def discard(self, quiet_s: float) -> None:
        """Answers cannot be mistaken for each other here."""

    def close(self) -> None:
        port, thread = self._port, self._thread
        self._port = self._thread = None
        if port is not None and thread is not None:
            closing = thread.submit(port.close)
            thread.finish()
            with suppress(NoAnswer):
                result_within(STOP_S, closing)

    def _call(self, doing: str, deadline_s: float, work: Callable[[], T]) -> T:
        try:
            return result_within(deadline_s, self._submit(work))
        except NoAnswer as silence:
            raise LinkLost(
                f"{self._where}: {doing}: {silence}; check the board's cable and its power, then connect again"
            ) from None

    def _submit(self, work: Callable[[], T]) -> Future[T]:
        if self._thread is None:
            raise LinkLost(f"{self._where} is not connected: connect first")
        return self._thread.submit(work)

    def _connected(self) -> OutputPort:
        if self._port is None:
            raise LinkLost(f"{self._where} is not connected: connect first")
        return self._port


def _log_failure(where: str) -> Callable[[Future[None]], None]:
    def log(future: Future[None]) -> None:
        if (error := future.exception()) is not None:
            LOG.error("%s: the stop was sent and failed: %s", where, error)

    return log


def port_opener(
    device: str, pins: Pins, remote: str | None, serial_number: int | None, given: Callable[[Pins], OutputPort] | None
) -> Callable[[], OutputPort]:
    """Opens NI-DAQmx outputs, whose library is loaded only then, or whatever else was ``given``."""

    def open_port() -> OutputPort:
        if given is not None:
            return given(pins)
        from drivers.nidaq_output import NidaqOutputs

        return NidaqOutputs(device, pins, remote=remote, serial_number=serial_number)

    return open_port
