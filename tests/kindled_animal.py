"""An animal that seizes, is injected and observed, without instruments: a performer for the tests of the pure core."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from msgspec import structs
from pure_animal import RATE_HZ, Animal

from detectors.criterion import Verdict
from kindle.behaviour import Scoring, Stamp
from kindle.exchange import (
    Inject,
    Injected,
    Observe,
    Observed,
    Reply,
    Request,
    Rest,
    Rested,
    Scored,
    ScoreSeizure,
    Stimulate,
    Trial,
    Withheld,
)


def steady(n: int) -> float | None:
    return 5.0


@dataclass
class Kindled(Animal):
    """``stage_of`` says the stage of the n-th scoring, ``thinks_s`` how long the experimenter takes over anything."""

    stage_of: Callable[[int], float | None] = steady
    discharge_s: float | None = None
    """Length of each discharge; ``None`` leaves it to the animal."""
    thinks_s: float = 0.0
    withholds: bool = False
    stamps: Sequence[Stamp] = ()
    recording: str = "r"
    scored: int = 0
    injected: list[tuple[int, str]] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)

    def perform(self, request: Request) -> Reply:
        self.requests.append(request)
        match request:
            case ScoreSeizure(scale):
                self._think()
                self.scored += 1
                return Scored(scale, self.stage_of(self.scored))
            case Inject(dose, drawn):
                self._think()
                if self.withholds:
                    return Withheld()
                self.injected.append((self.now, getattr(dose, "substance", "")))
                return Injected(dose, self.now, drawn, self.recording, RATE_HZ)
            case Observe(duration_s, scale):
                first = self.now
                self.now += round(duration_s * RATE_HZ)
                stamps = tuple(structs.replace(stamp, sample=first + stamp.sample) for stamp in self.stamps)
                return Observed(Scoring(scale, stamps), first, self.now, RATE_HZ, self.recording)
            case Rest():
                rested = super().perform(request)
                assert isinstance(rested, Rested)
                return structs.replace(rested, recording=self.recording)
            case Stimulate():
                trial = super().perform(request)
                if (
                    isinstance(trial, Trial)
                    and trial.verdict is Verdict.AFTERDISCHARGE
                    and self.discharge_s is not None
                ):
                    event = trial.afterdischarges[0]
                    end = event.onset_sample + round(self.discharge_s * RATE_HZ)
                    self.now = max(self.now, end)
                    event = replace(event, end_sample=end)
                    return structs.replace(
                        trial, afterdischarges=(event,), last_sample=self.now, recording=self.recording
                    )
                return structs.replace(trial, recording=self.recording)
            case _:
                return super().perform(request)

    def _think(self) -> None:
        self.now += round(self.thinks_s * RATE_HZ)
