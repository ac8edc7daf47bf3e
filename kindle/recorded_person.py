"""What the person did in a stored session, done again at the same samples: answers, the two acts, and voids."""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import inf

from drivers.interface import DeliveredTrain, PulseTrain
from kindle.animal_rows import AlarmAcknowledged, TrialVoided
from kindle.behaviour import ItemStamp, StageStamp, Stamp
from kindle.exchange import Confirmed, Injected, Observed, Scored, Stimulate, Withheld
from kindle.experimenter import Answer, ItemMark, Mark, StageMark, TakeBack, Unattended, VoidCalled
from kindle.holding import GO_ON
from kindle.journal import Row
from kindle.releasing import LOOK_S, Pressed
from kindle.rows import Answered, Asked, decode
from kindle.scorebook import LATER
from kindle.timed_tests import TEST_ALL_THE_SAME
from kindle.voiding import Voiding

ARMS_BEFORE_S = 2.0
"""A train is armed so long before it is fired: longer than one look for the act, shorter than it stays armed."""


@dataclass(frozen=True, slots=True)
class _Said:
    sample: int
    word: str


class RecordedPerson(Unattended):
    """Experimenter, ``TwoActs`` and ``Voids`` in one; ``position`` is the sample of the recording that comes next.

    What was not written down gets the cautious answer.
    """

    def __init__(self, rows: Iterable[Row], position: Callable[[], int], rate_hz: float) -> None:
        self._position = position
        self._rate_hz = rate_hz
        self._answers: deque[_Said] = deque()
        self._names: deque[_Said] = deque()
        self._fired: deque[int] = deque()
        self._voids: deque[tuple[int, Voiding]] = deque()
        self._stamps: deque[Stamp] = deque()
        for row in rows:
            self._hear(row)

    def ask(self, text: str, choices: tuple[str, ...]) -> Answer:
        if not self._answers or self._answers[0].word not in choices:
            return super().ask(text, choices)
        return self._when_said(self._answers)

    def ask_name(self, text: str) -> Answer:
        return self._when_said(self._names) if self._names else super().ask_name(text)

    def mark(self) -> Mark | None:
        if not self._stamps or self._position() < self._stamps[0].sample:
            return None
        match self._stamps.popleft():
            case StageStamp(stage=stage):
                return StageMark(stage)
            case ItemStamp(item=item, edge=edge):
                return ItemMark(item, edge)
            case _:
                return TakeBack()

    def arm(self, train: PulseTrain) -> Pressed:
        due = self._fired[0] if self._fired else inf

        def pressed() -> bool:
            if self.wants_void():
                raise VoidCalled
            return self._position() >= due - ARMS_BEFORE_S * self._rate_hz

        return pressed

    def fire(self, delivered: DeliveredTrain) -> Pressed:
        """A look early rather than late: the recorded train must still lie ahead."""
        due = self._fired[0] - LOOK_S * self._rate_hz

        def pressed() -> bool:
            if self._position() < due:
                return False
            self._fired.popleft()
            return True

        return pressed

    def offer_void(self, offered: bool) -> None:
        pass

    def wants_void(self) -> bool:
        return bool(self._voids) and self._position() >= self._voids[0][0]

    def take_void(self) -> Voiding | None:
        return self._voids.popleft()[1] if self.wants_void() else None

    def _when_said(self, said: deque[_Said]) -> Answer:
        return lambda: said.popleft().word if self._position() >= said[0].sample else None

    def _hear(self, row: Row) -> None:
        sample = row.sample or 0
        match row.kind:
            case "asked" if isinstance(decode(row.kind, row.payload, Asked).request, Stimulate):
                self._fired.append(sample)
            case "answered":
                match decode(row.kind, row.payload, Answered).reply:
                    case Confirmed(choice):
                        self._answers.append(_Said(sample, choice))
                    case Scored(stage=stage, stamps=stamps):
                        self._note(stamps)
                        self._answers.append(_Said(sample, LATER if stage is None else f"{stage:g}"))
                    case Injected():
                        self._answers.append(_Said(sample, "given"))
                    case Withheld():
                        self._answers.append(_Said(sample, "withheld"))
                    case Observed(scoring=scoring):
                        self._note(scoring.stamps)
                    case _:
                        pass
            case "trains_allowed":
                self._answers.append(_Said(sample, GO_ON[1]))
            case "late_test_allowed":
                self._answers.append(_Said(sample, TEST_ALL_THE_SAME[1]))
            case "alarm_acknowledged":
                self._names.append(_Said(sample, decode(row.kind, row.payload, AlarmAcknowledged).author))
            case "trial_voided":
                voided = decode(row.kind, row.payload, TrialVoided)
                self._voids.append((sample, Voiding(voided.author, voided.reason)))
            case _:
                pass

    def _note(self, stamps: Iterable[Stamp]) -> None:
        """A seizure that was scored again after a void has its marks in both replies."""
        last = self._stamps[-1].sample if self._stamps else -1
        self._stamps.extend(stamp for stamp in stamps if stamp.sample > last)
