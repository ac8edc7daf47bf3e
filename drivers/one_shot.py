"""The states that a programmed stimulator goes through, and its stop from any thread, whatever its language is."""

import atexit
import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import RLock
from typing import Protocol

from drivers.interface import Abort, DeliveredTrain, DriverError, LinkLost, PulseTrain
from drivers.stimulator_state import State, require

LOG = logging.getLogger(__name__)


class Dialogue(Protocol):
    """One instrument in its own language; ``OneShot`` lets one thread in at a time, ``send_stop`` excepted.

    ``LinkLost`` means that nothing is known any more; ``DeviceRefused`` that nothing was changed.
    """

    @property
    def address(self) -> str: ...

    def open(self) -> None:
        """Take the port afresh and listen until it is quiet. Raises ``DeviceNotFound``."""
        ...

    def prove(self) -> str:
        """Model and firmware, positively; then leave the instrument silent."""
        ...

    def programme(self, train: PulseTrain) -> DeliveredTrain:
        """Write ``train``, read it back, and be ready for its trigger."""
        ...

    def trigger(self) -> None:
        """In one write, never repeated."""
        ...

    def read_outcome(self) -> None:
        """After a train: that it is over, and what the instrument says of it."""
        ...

    def silence(self) -> None:
        """Leave no amplitude for a stray trigger."""
        ...

    def send_stop(self) -> None:
        """Only the bytes; may come from any thread at any time."""
        ...

    def prove_stop(self) -> bool:
        """Stop, and whether the instrument said what it can say only when it has stopped."""
        ...

    def discard(self, quiet_s: float) -> None:
        """Throw away what comes within ``quiet_s``."""
        ...

    def close(self) -> None:
        """Let go of the port. Never raises."""
        ...


class OneShot:
    """A ``Stimulator`` made of a dialogue; thread-safe."""

    def __init__(self, dialogue: Dialogue) -> None:
        self._dialogue = dialogue
        self._state = State.UNIDENTIFIED
        self._lock = RLock()

    @property
    def state(self) -> State:
        return self._state

    def identify(self) -> str:
        """Prove model and firmware, then force a silent state; the only way out of a fault.

        Raises ``DeviceNotFound`` (nothing answers, or something else does), ``DeviceRefused`` (another firmware) and
        ``LinkLost`` (the answer broke off).
        """
        with self._lock:
            self._state = State.FAULT
            self._dialogue.open()
            identity = self._dialogue.prove()
            self._state = State.IDLE
            atexit.unregister(self.close)
            atexit.register(self.close)
            return f"{identity}, at {self._dialogue.address}"

    def prepare(self, train: PulseTrain) -> DeliveredTrain:
        """Programme ``train`` and read it back; whatever was prepared before is gone, refused or not."""
        with self._lock, self._or_fault():
            self._require(State.IDLE, State.ARMED, State.DONE, verb="prepare")
            if self._state is State.ARMED:
                self._dialogue.silence()
            self._state = State.IDLE
            delivered = self._dialogue.programme(train)
            self._state = State.ARMED
            return delivered

    def fire(self) -> None:
        """Trigger the prepared train once; no answer, or a wrong one, leaves open whether it was delivered."""
        with self._lock, self._or_fault():
            self._require(State.ARMED, verb="fire")
            self._state = State.FIRING
            try:
                self._dialogue.trigger()
            except LinkLost as error:
                raise LinkLost(
                    f"{error}; the train may have been delivered: count it as delivered, and void"
                ) from error

    def rest(self) -> None:
        """Hear what the instrument says of the train that is over, then leave no amplitude in it.

        Raises ``LinkLost`` where it does not prove that the train is over: it must not be programmed over.
        """
        with self._lock, self._or_fault():
            self._require(State.IDLE, State.ARMED, State.FIRING, State.DONE, verb="rest")
            if self._state is State.FIRING:
                self._dialogue.read_outcome()
            self._dialogue.silence()
            self._state = State.DONE

    def abort(self) -> Abort:
        """Stop, and leave no amplitude; the bytes go out at once, also while another thread waits for an answer.

        ``CONFIRMED`` means that the instrument said what it can say only when it has stopped.
        """
        waits = self._busy_elsewhere()
        if waits:
            self._send_stop()
        with self._lock:
            # The answer to the first stop may still be on its way; it is no proof of the second.
            confirmed = self._prove_stop(quiet_s=0.05 if waits else 0.0)
            if not confirmed:
                self._state = State.FAULT
            elif self._state is not State.FAULT:
                self._leave_silent()
            return Abort.CONFIRMED if confirmed else Abort.UNCONFIRMED

    def close(self) -> None:
        """Stop, leave no amplitude and let go of the port. Never raises."""
        with self._lock:
            if self._state is not State.UNIDENTIFIED:
                self.abort()
            self._dialogue.close()
            self._state = State.UNIDENTIFIED
            atexit.unregister(self.close)

    def _busy_elsewhere(self) -> bool:
        if not self._lock.acquire(blocking=False):
            return True
        self._lock.release()
        return False

    def _send_stop(self) -> None:
        """Never raises: a stop comes back with an answer whatever happened to the port."""
        try:
            self._dialogue.send_stop()
        except Exception as error:
            LOG.error("%s: the stop could not be sent: %s", self._dialogue.address, error)

    def _prove_stop(self, quiet_s: float) -> bool:
        """Never raises; a port that cannot be read is told to stop all the same."""
        with suppress(Exception):
            self._dialogue.discard(quiet_s)
        try:
            return self._dialogue.prove_stop()
        except Exception as error:
            LOG.error("%s: the stop is not proven: %s", self._dialogue.address, error)
            return False

    def _leave_silent(self) -> None:
        """After a proven stop. Never raises: current is off already."""
        try:
            self._dialogue.silence()
            self._state = State.IDLE
        except DriverError as error:
            LOG.error("%s: stopped, but its amplitude is not known to be zero: %s", self._dialogue.address, error)
            self._state = State.FAULT

    @contextmanager
    def _or_fault(self) -> Iterator[None]:
        try:
            yield
        except LinkLost:
            self._state = State.FAULT
            raise

    def _require(self, *states: State, verb: str) -> None:
        require(self._state, *states, verb=verb, address=self._dialogue.address)
