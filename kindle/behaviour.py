"""What an observer sees: stages on a named, versioned scale and single items, stamped, corrected by further stamps."""

from collections.abc import Iterator
from typing import Literal

import msgspec

from kindle.errors import KindleError

Edge = Literal["event", "begins", "ends"]
"""Something that is over as it is seen and counted, or a stretch of time."""


class StageStamp(msgspec.Struct, frozen=True, tag="stage"):
    """From ``sample`` on the animal is at ``stage``, until the next stamp."""

    sample: int
    stage: float


class ItemStamp(msgspec.Struct, frozen=True, tag="item"):
    """One item of the ethogram, such as ``fall``."""

    sample: int
    item: str
    edge: Edge = "event"


class Undo(msgspec.Struct, frozen=True, tag="undo"):
    """Takes back the stamp at place ``undoes``; nothing is ever taken out of the list."""

    sample: int
    undoes: int


Stamp = StageStamp | ItemStamp | Undo

DEATH = "death"
"""The item that ends an observation for good."""


class NotOnTheScale(KindleError):
    """A stage was entered that the scale does not have."""


class Scoring(msgspec.Struct, frozen=True, tag="scoring"):
    """All stamps of one trial or observation, in the order of entry; ``scale`` is an id with its version.

    Samples are absolute in the recording. A stage entered later for an earlier moment is a stamp like any other.
    """

    scale: str
    stamps: tuple[Stamp, ...] = ()

    def stamped(self, stamp: Stamp) -> "Scoring":
        if isinstance(stamp, Undo) and stamp.undoes not in dict(self._standing()):
            raise KindleError(f"there is no stamp {stamp.undoes} to take back in this scoring")
        return Scoring(self.scale, (*self.stamps, stamp))

    def undone(self, sample: int) -> "Scoring":
        """The last stamp that still stands is taken back, by a further stamp."""
        standing = [place for place, _ in self._standing()]
        if not standing:
            raise KindleError("nothing has been scored that could be taken back")
        return self.stamped(Undo(sample, standing[-1]))

    @property
    def standing(self) -> tuple[StageStamp | ItemStamp, ...]:
        """What was not taken back, in the order of time."""
        return tuple(sorted((stamp for _, stamp in self._standing()), key=lambda stamp: stamp.sample))

    @property
    def transitions(self) -> tuple[StageStamp, ...]:
        """Each change of stage once."""
        stages = [stamp for stamp in self.standing if isinstance(stamp, StageStamp)]
        return tuple(now for n, now in enumerate(stages) if n == 0 or stages[n - 1].stage != now.stage)

    @property
    def highest(self) -> float | None:
        """The stage of the trial; ``None`` when none was entered, which is not stage 0."""
        return max((stamp.stage for stamp in self.standing if isinstance(stamp, StageStamp)), default=None)

    def first_at_least(self, stage: float) -> int | None:
        """Sample of the first stage this high."""
        return next((stamp.sample for stamp in self.transitions if stamp.stage >= stage), None)

    def first_of(self, item: str) -> int | None:
        return next(
            (s.sample for s in self.standing if isinstance(s, ItemStamp) and s.item == item and s.edge != "ends"), None
        )

    def count_of(self, item: str) -> int:
        """How often it happened: single events and beginnings."""
        return sum(isinstance(s, ItemStamp) and s.item == item and s.edge != "ends" for s in self.standing)

    def spans_of(self, item: str, until: int) -> tuple[tuple[int, int], ...]:
        """Stretches ``[begins, ends)``; one that nobody ended goes on ``until`` the observation did."""
        spans: list[tuple[int, int]] = []
        began: int | None = None
        for stamp in self.standing:
            match stamp:
                case ItemStamp(item=name, edge="begins") if name == item and began is None:
                    began = stamp.sample
                case ItemStamp(item=name, edge="ends") if name == item and began is not None:
                    spans.append((began, stamp.sample))
                    began = None
                case _:
                    pass
        return (*spans, (began, max(began, until))) if began is not None else tuple(spans)

    def _standing(self) -> Iterator[tuple[int, StageStamp | ItemStamp]]:
        taken_back = {stamp.undoes for stamp in self.stamps if isinstance(stamp, Undo)}
        for place, stamp in enumerate(self.stamps):
            if not isinstance(stamp, Undo) and place not in taken_back:
                yield place, stamp
