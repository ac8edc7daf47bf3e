"""Where a stimulator stands between connecting, preparing and firing, and what a person can do about it."""

from enum import Enum

from drivers.interface import DeviceRefused


class State(Enum):
    """``FAULT`` is left only by a fresh ``identify``."""

    UNIDENTIFIED = "unidentified"
    IDLE = "idle"
    ARMED = "armed"
    FIRING = "firing"
    DONE = "done"
    FAULT = "fault"


def require(state: State, *allowed: State, verb: str, address: str) -> None:
    """Raises ``DeviceRefused``, saying what to do, where ``verb`` is not possible now."""
    if state not in allowed:
        wanted = " or ".join(one.value for one in allowed)
        raise DeviceRefused(f"{address}: cannot {verb} while {state.value}, only while {wanted}; {_NEXT[state]}")


_NEXT = {
    State.UNIDENTIFIED: "connect first",
    State.IDLE: "prepare a train first",
    State.ARMED: "fire or abort first",
    State.FIRING: "let the train end and rest first",
    State.DONE: "prepare a train first",
    State.FAULT: "connect again",
}
