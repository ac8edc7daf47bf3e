"""What a run of the safety model came to, in figures."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from drivers.interface import DriverError
from drivers.simulated.daq_errors import BoardError
from kindle.errors import KindleError, UnsafeStimulus
from kindle.rig import StoppedByExperimenter

_LIMIT = re.compile(r"(max|min|lockout)_\w+")
_WORDS = {
    "nobody has said": "the last train was not as asked",
    "told to stop": "a rig that was told to stop",
    "armed and fired": "nobody armed and fired it",
    "afterdischarge is still going on": "a discharge going on",
    "must be a positive number": "no positive number",
    "must be 0 or more": "no gap of 0 or more",
    "cannot hold whole pulses": "no whole pulses in it",
    "were asked": "another train than asked",
    "status epilepticus": "an alarm that nobody acknowledged",
    "lock-out": "lockout_after_afterdischarge_s",
    "direct current": "max_net_charge_uc",
}


@dataclass
class Tally:
    steps: Counter[str] = field(default_factory=Counter)
    programs: Counter[str] = field(default_factory=Counter)
    """How those that were begun ended."""
    refused: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    n_asked: int = 0
    n_delivered: int = 0
    n_delivering_steps: int = 0
    n_second_openers: int = 0
    n_stops: int = 0
    stop_latencies_us: list[int] = field(default_factory=list)

    @property
    def n_steps(self) -> int:
        return sum(self.steps.values())

    def add(self, other: "Tally") -> None:
        """What another run came to, too."""
        for mine, its in (
            (self.steps, other.steps),
            (self.programs, other.programs),
            (self.refused, other.refused),
            (self.faults, other.faults),
        ):
            mine.update(its)
        self.n_asked += other.n_asked
        self.n_delivered += other.n_delivered
        self.n_delivering_steps += other.n_delivering_steps
        self.n_second_openers += other.n_second_openers
        self.n_stops += other.n_stops
        self.stop_latencies_us += other.stop_latencies_us

    def ended(self, kind: str, error: BaseException | None) -> None:
        self.programs[f"{kind}: {how(error)}"] += 1
        if isinstance(error, UnsafeStimulus):
            self.refused[reason(error)] += 1

    def lines(self) -> Iterator[str]:
        n_steps = max(1, self.n_steps)
        yield f"{self.n_steps} steps: {_told(self.steps)}"
        share = self.n_delivering_steps / n_steps
        yield f"trains asked for: {self.n_asked}; delivered: {self.n_delivered}, in {share:.1%} of the steps"
        yield f"refused: {sum(self.refused.values())}: {_told(self.refused)}"
        yield f"faults: {sum(self.faults.values())}: {_told(self.faults)}"
        yield f"programs: {_told(self.programs)}"
        yield f"second openers of a rig or an animal: {self.n_second_openers}, each refused"
        if self.stop_latencies_us:
            most_ms = max(self.stop_latencies_us) * 1e-3
            yield (
                f"stops: {self.n_stops}, in a train {len(self.stop_latencies_us)}; "
                f"from Stop to the last current at most {most_ms:.1f} ms (allowed 50)"
            )


def how(error: BaseException | None) -> str:
    match error:
        case None:
            return "came to its end"
        case StoppedByExperimenter():
            return "stopped"
        case UnsafeStimulus():
            return "refused"
        case DriverError() | KindleError() | BoardError():
            return type(error).__name__
        case _:
            return f"failed: {error!r}"


def reason(refused: UnsafeStimulus) -> str:
    """By what a train was refused, in two or three words."""
    said = str(refused)
    if (limit := _LIMIT.search(said)) is not None:
        return limit[0]
    return next((words for part, words in _WORDS.items() if part in said), "another reason")


def _told(counted: Counter[str]) -> str:
    return ", ".join(f"{what} {n}" for what, n in counted.most_common())
