"""A treated animal is tested in its time: while a person waits to arm, the pretreatment time goes on."""

from math import floor

from kindle.animal_rows import LateTestAllowed
from kindle.engine import Perform
from kindle.errors import KindleError
from kindle.exchange import Injected, Reply, Request, Stimulate, Trial, VoidTrial
from kindle.protocols.catalogue import Plan
from kindle.protocols.drug_test import DrugTestPlan
from kindle.protocols.injecting import Injection, Pretreated, wrong_time
from kindle.rig import Rig
from kindle.session_record import SessionJournal

TEST_ALL_THE_SAME = ("no", "yes")


class TooLate(KindleError):
    """The first train of a test was not given in its time, and nobody wants it later: the session ends without one."""


class TimedTest:
    """Knows of the injections that ``hearing`` has heard of, and holds the first train after them to its time."""

    def __init__(self, plan: Plan, rig: Rig, journal: SessionJournal, animal: str) -> None:
        self._plan = plan if isinstance(plan, DrugTestPlan) else None
        self._rig = rig
        self._journal = journal
        self._animal = animal
        self._injected: list[Injected] = []
        self._begun = False
        """Whether the animal has had a train of the test, or may have it late."""

    def hearing(self, perform: Perform) -> Perform:
        def performed(request: Request) -> Reply:
            reply = perform(request)
            match reply:
                case Injected():
                    self._injected.append(reply)
                case Trial() | VoidTrial(exposed=True):
                    self._begun = True
                case _:
                    pass
            return reply

        return performed

    def after_acts(self, perform: Perform) -> Perform:
        """Both acts come before the request is written: who leaves before them leaves no train in doubt.

        Where they come too late the experimenter decides. Raises ``TooLate`` where the test is given up.
        """

        def performed(request: Request) -> Reply:
            if isinstance(request, Stimulate) and not self._rig.await_acts(request.train, self._until()):
                self._allow_late()
                self._rig.await_acts(request.train)
            return perform(request)

        return performed

    def _until(self) -> int | None:
        """The first sample at which the first train is too late for an injection of this stretch of signal."""
        if self._plan is None or self._begun:
            return None
        tolerance_s = self._plan.tolerance_s
        too_late = [
            one.sample + floor((one.dose.pretreatment_s + tolerance_s) * one.rate_hz) + 1
            for one in self._injected
            if one.recording == self._rig.stretch
        ]
        return min(too_late, default=None)

    def _allow_late(self) -> None:
        late = next(text for one in self._injected if (text := self._lateness(one)))
        if self._rig.ask_choice(f"{late}. Test all the same?", TEST_ALL_THE_SAME) == "no":
            raise TooLate(late)
        self._journal.write(LateTestAllowed(self._animal, late))
        self._begun = True

    def _lateness(self, injected: Injected) -> str:
        waited_s = (self._rig.stream.n_samples - injected.sample) / injected.rate_hz
        one = Pretreated(Injection(injected.dose).name, injected.dose.pretreatment_s, waited_s)
        return "" if self._plan is None else wrong_time(one, self._plan.tolerance_s)
