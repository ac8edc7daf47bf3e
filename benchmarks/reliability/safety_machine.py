"""The safety model in random order: rig, experimenter, faults and crashes, and after each step what really flowed."""

from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from benchmarks.reliability.safety_asks import plans, some_limits, sound_trains, spoilt_trains
from benchmarks.reliability.safety_bench import STIMULATORS, Kind
from benchmarks.reliability.safety_faults import FAULTS
from benchmarks.reliability.safety_model import TO_ITS_END_S, SafetyModel
from benchmarks.reliability.safety_tally import Tally
from drivers.interface import PulseTrain
from kindle.exchange import Observe, Rest
from kindle.protocols.catalogue import Plan
from kindle.safety import SafetyLimits

GOES_ON_S = (0.0003, 0.015, 0.045, 1.0, 4.0, 15.0, 40.0)
WATCHES_S = (0.0, 0.033, 0.07, TO_ITS_END_S, TO_ITS_END_S, TO_ITS_END_S)
"""For so long a train is let go before the next thing happens."""
MOSTLY = st.sampled_from((True, True, True, False))
SELDOM = st.sampled_from((False, False, False, True))
MISHAPS = (*FAULTS, *("a crash",) * 4, *("stop",) * 3, *("stop at once",) * 3, *("a second opener",) * 4)


class SafetyMachine(RuleBasedStateMachine):
    """``tally`` is shared by all runs of a class."""

    tally: ClassVar[Tally] = Tally()
    model: SafetyModel

    @initialize(
        kind=st.sampled_from(tuple(STIMULATORS)),
        limits=some_limits(),
        seed=st.sampled_from((1, 2, 3)),
        with_acts=st.sampled_from((False, False, True)),
        in_study=SELDOM,
        earlier=st.sampled_from((0.0, 0.0, 0.9)),
    )
    def a_rig(
        self, kind: Kind, limits: SafetyLimits, seed: int, with_acts: bool, in_study: bool, earlier: float
    ) -> None:
        """``earlier`` is the share of the day's charge that each animal had before."""
        earlier_uc = earlier * limits.max_charge_per_day_uc
        self.model = SafetyModel(
            self.tally, kind, limits, seed=seed, with_acts=with_acts, in_study=in_study, earlier_uc=earlier_uc
        )
        self.model.counts("a_rig")

    # Programs begin.

    @precondition(lambda self: not self.model.running and not self.model.in_study)
    @rule(to_message=SELDOM)
    def connects(self, to_message: bool) -> None:
        self.model.connects(to_message=to_message)
        self.model.counts("connects")

    @precondition(lambda self: not self.model.running and self.model.in_study)
    @rule(plan=st.one_of(st.none(), plans(spoilt=False), plans(spoilt=True)), to_message=SELDOM)
    def begins_session(self, plan: Plan | None, to_message: bool) -> None:
        self.model.begins_session(plan, to_message=to_message)
        self.model.counts("begins_session")

    @precondition(lambda self: self.model.idle and self.model.spent)
    @rule()
    def takes_the_next_animal(self) -> None:
        self.model.takes_the_next_animal()
        self.model.counts("takes_the_next_animal")

    # What a rig is asked for.

    @precondition(lambda self: self.model.idle)
    @rule(train=sound_trains(), waits=MOSTLY, seconds=st.sampled_from(WATCHES_S))
    def asks_for_a_train(self, train: PulseTrain, waits: bool, seconds: float) -> None:
        self.model.asks_for(train, seconds, waits=waits)
        self.model.counts("asks_for_a_train")

    @precondition(lambda self: self.model.idle and self.model.observer.asked)
    @rule(waits=MOSTLY, seconds=st.sampled_from(WATCHES_S))
    def asks_for_the_same_train(self, waits: bool, seconds: float) -> None:
        self.model.asks_for(self.model.observer.asked[-1], seconds, waits=waits)
        self.model.counts("asks_for_the_same_train")

    @precondition(lambda self: self.model.idle)
    @rule(train=st.one_of(sound_trains(), spoilt_trains()), fresh=st.booleans())
    def asks_for_any_train(self, train: PulseTrain, fresh: bool) -> None:
        """Too soon, beyond the limits, or of a rig that was told to stop."""
        self.model.asks_for(train, TO_ITS_END_S, waits=False, fresh=fresh)
        self.model.counts("asks_for_any_train")

    @precondition(lambda self: self.model.idle)
    @rule(seconds=st.sampled_from((0.01, 0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 12.0, 30.0)), observing=st.booleans())
    def rests(self, seconds: float, observing: bool) -> None:
        self.model.asks(Observe(seconds, "racine_1972") if observing else Rest(seconds, "model"), TO_ITS_END_S)
        self.model.counts("rests")

    # The person, and time.

    @precondition(lambda self: self.model.running and self.model.person.may_arm)
    @rule(and_fires=MOSTLY)
    def arms(self, and_fires: bool) -> None:
        self.model.person.arms()
        self.model.goes_on(1.5)
        if and_fires and self.model.running and self.model.person.may_fire:
            self.model.fires()
        self.model.counts("arms")

    @precondition(lambda self: self.model.running and self.model.person.may_fire)
    @rule()
    def fires(self) -> None:
        self.model.fires()
        self.model.counts("fires")

    @precondition(lambda self: self.model.running and self.model.person.is_asked)
    @rule(choice=st.integers(0, 7))
    def answers(self, choice: int) -> None:
        self.model.answers(choice)
        self.model.counts("answers")

    @precondition(lambda self: self.model.running and not self.model.person.stop and self.model.observer.in_train)
    @rule(at_once=st.booleans())
    def stops_a_train(self, at_once: bool) -> None:
        self.model.stops(at_once=at_once)
        self.model.goes_on(0.2)
        self.model.counts("stops_a_train")

    @precondition(lambda self: self.model.running and not self.model.idle)
    @rule(seconds=st.sampled_from(GOES_ON_S), to_message=SELDOM)
    def time_passes(self, seconds: float, to_message: bool) -> None:
        self.model.goes_on(seconds, to_message=to_message)
        self.model.counts("time_passes")

    # What goes wrong.

    @precondition(lambda self: self.model.running)
    @rule(what=st.sampled_from(MISHAPS), lasts_s=st.sampled_from((0.0, 0.03, 0.2, 3.0, None)))
    def something_happens(self, what: str, lasts_s: float | None) -> None:
        match what:
            case "a crash":
                self.model.crashes()
            case "a second opener":
                self.model.is_opened_a_second_time()
            case "stop" | "stop at once":
                self.model.stops(at_once=what == "stop at once")
                self.model.goes_on(lasts_s or 0.0)
            case fault:
                self.model.breaks(fault, lasts_s)
        self.model.counts("something_happens")

    @precondition(lambda self: not self.model.running and self.model.in_study and not self.model.rested)
    @rule(
        hours=st.sampled_from((0.001, 0.01, 0.5, 23.9, 24.1)),
        clock_is_set_back=SELDOM,
        put_right=st.sampled_from(("nothing", "alarm", "session", "both")),
    )
    def hours_pass(self, hours: float, clock_is_set_back: bool, put_right: str) -> None:
        self.model.hours_pass(hours, clock_is_set_back=clock_is_set_back)
        if put_right != "nothing":
            self.model.is_put_right(session=put_right != "alarm", alarm=put_right != "session")
        self.model.counts("hours_pass")

    @invariant()
    def no_rule_is_broken(self) -> None:
        if hasattr(self, "model"):
            self.model.observer.look()
            assert not self.model.observer.violations, self.model.observer.violations[0]

    def teardown(self) -> None:
        if hasattr(self, "model"):
            self.model.is_put_away()
