"""What can be wrong between a serial instrument and the computer; any emulated device can speak through it."""

from dataclasses import dataclass
from math import inf


@dataclass(frozen=True, slots=True)
class Faults:
    """The device itself stays sound: what reaches it is obeyed, and a running train plays on."""

    silent: bool = False
    """Answers nothing."""
    garbage: bool = False
    """Answers with other bytes, as many."""
    late_us: int | None = None
    """Answers come only when the device is polled, this much later."""
    drop_after: int | None = None
    """How many bytes still arrive."""
    unplugged: bool = False
    """Nothing arrives and nothing is answered."""


class FaultyLine:
    """Bytes on their way in and out; a reply waits here until it is due."""

    def __init__(self) -> None:
        self._faults = Faults()
        self._still_arriving: float = inf
        self._replies: list[tuple[float, bytes]] = []

    def inject(self, faults: Faults) -> None:
        self._faults = faults
        self._still_arriving = inf if faults.drop_after is None else faults.drop_after

    def arriving(self, data: bytes) -> bytes:
        """The part of ``data`` that reaches the device."""
        if self._faults.unplugged:
            return b""
        n_arriving = int(min(len(data), self._still_arriving))
        self._still_arriving -= n_arriving
        return data[:n_arriving]

    def say(self, reply: bytes, now_us: int) -> None:
        faults = self._faults
        if faults.silent or faults.unplugged:
            return
        sent = bytes(byte ^ 0x5A for byte in reply) if faults.garbage else reply
        self._replies.append((-inf if faults.late_us is None else now_us + faults.late_us, sent))

    def take(self, now_us: float = -inf) -> bytes:
        """What the computer gets now; without a time, only what is not late."""
        due = b"".join(reply for due_us, reply in self._replies if due_us <= now_us)
        self._replies = [(due_us, reply) for due_us, reply in self._replies if due_us > now_us]
        return due
