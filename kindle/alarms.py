"""The alarm for status epilepticus: raised from what the rig tells, and in force until a person acknowledges it."""

from kindle.exchange import Trial
from kindle.experimenter import Mark, StageMark, TakeBack
from kindle.progress import Alarmed, Done, Fired, Listener, Marked, Progress, Read, Watching
from kindle.status import StatusRule, is_status, longest_discharge_s, too_long, without_recovery


class Sentinel:
    """A listener that tells the next one everything, and of an alarm besides: once after each train."""

    def __init__(self, rule: StatusRule, rate_hz: float, listener: Listener) -> None:
        self.in_force: Alarmed | None = None
        """The alarm that nobody has acknowledged: no train may follow it."""
        self._rule = rule
        self._rate_hz = rate_hz
        self._listener = listener
        self._sample = 0
        self._marks: list[tuple[int, Mark]] = []
        self._raised = False

    def __call__(self, fact: Progress) -> None:
        self._listener(fact)
        match fact:
            case Read(first_sample, block):
                self._sample = first_sample + block.shape[1]
            case Fired():
                self._marks.clear()
                self._raised = False
            case Watching(discharge_s=float(length_s)) if too_long(length_s, self._rule):
                self._alarm(f"the discharge has lasted {length_s:.0f} s")
            case Done(Trial() as trial) if is_status(trial, self._rule):
                self._alarm(f"the discharge lasted {longest_discharge_s(trial):.0f} s")
            case Marked(sample, mark):
                self._mark(sample, mark)
            case _:
                pass

    def acknowledged(self) -> None:
        self.in_force = None

    def _mark(self, sample: int, mark: Mark) -> None:
        if isinstance(mark, TakeBack):
            del self._marks[-1:]
            return
        self._marks.append((sample, mark))
        stages = [(sample / self._rate_hz, mark.stage) for sample, mark in self._marks if isinstance(mark, StageMark)]
        if without_recovery(stages, self._rule):
            self._alarm(f"stage {self._rule.stage_from:g} again without recovery")

    def _alarm(self, cause: str) -> None:
        if not self._raised:
            self._raised = True
            self.in_force = Alarmed(self._sample, cause, self._rule.rescue_text)
            self._listener(self.in_force)
