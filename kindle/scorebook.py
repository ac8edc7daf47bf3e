"""What the observer marks while the signal is read: each mark gets the sample at which it was heard."""

from collections.abc import Iterable

from kindle.behaviour import DEATH, ItemStamp, Scoring, StageStamp
from kindle.errors import KindleError
from kindle.exchange import Scored
from kindle.experimenter import Experimenter, ItemMark, Mark, StageMark, TakeBack
from kindle.progress import Listener, Marked, unheard
from kindle.scale import load_scale

LATER = "later"
"""The cautious answer to a question for the stage: the trial is scored from video, and is no stage 0 until then."""


class Scorebook:
    """Marks since the last train, or since an observation began."""

    def __init__(self, experimenter: Experimenter, listener: Listener = unheard) -> None:
        self._experimenter = experimenter
        self._listener = listener
        self._marks: list[tuple[int, Mark]] = []

    def begin(self) -> None:
        self._marks.clear()

    def look(self, sample: int) -> None:
        while (mark := self._experimenter.mark()) is not None:
            self._marks.append((sample, mark))
            self._listener(Marked(sample, mark))

    @property
    def died(self) -> bool:
        return any(isinstance(mark, ItemMark) and mark.item == DEATH for _, mark in self._marks)

    def scoring(self, scale: str) -> Scoring:
        return scoring_of(self._marks, scale)


def scoring_of(marks: Iterable[tuple[int, Mark]], scale: str) -> Scoring:
    """Marks with their samples on this scale; what does not fit it stands there as an item, in words."""
    known = load_scale(scale)
    scoring = Scoring(known.name)
    for sample, mark in marks:
        try:
            match mark:
                case StageMark(stage):
                    scoring = scoring.stamped(StageStamp(sample, known.stage(stage).stage))
                case ItemMark(item, edge):
                    scoring = scoring.stamped(ItemStamp(sample, item, edge))
                case TakeBack():
                    scoring = scoring.undone(sample)
        except KindleError as misfit:
            scoring = scoring.stamped(ItemStamp(sample, f"not entered: {misfit}"))
    return scoring


def choices_of(scale: str) -> tuple[str, ...]:
    """What a question for the stage takes."""
    return (LATER, *(f"{stage.stage:g}" for stage in load_scale(scale).stages))


def question_for(scoring: Scoring) -> str:
    seen = scoring.highest
    return f"Highest stage on {scoring.scale}?" + ("" if seen is None else f" (marked: {seen:g})")


def scored(scoring: Scoring, said: str) -> Scored:
    return Scored(scoring.scale, None if said == LATER else float(said), scoring.stamps)
