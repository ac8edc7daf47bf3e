"""The safety model: rig, experimenter, faults and crashes in any order, and after each step what really flowed."""

import shutil
import tempfile
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from benchmarks.reliability.safety_asks import (
    ALARM_AFTER_S,
    plans,
    some_limits,
    sound_trains,
    spaced,
    spoilt_trains,
)
from benchmarks.reliability.safety_bench import RATE_HZ, STIMULATORS, Kind, SafetyBench, untouched
from benchmarks.reliability.safety_faults import FAULTS
from benchmarks.reliability.safety_person import Person
from benchmarks.reliability.safety_programs import ANIMAL, RigProgram, SessionProgram, prepared_for
from benchmarks.reliability.safety_tally import Tally, how, reason
from benchmarks.reliability.safety_turns import Program
from drivers.interface import PulseTrain
from drivers.simulated.daq_errors import BoardError
from drivers.simulated.source import BoardSource
from kindle.errors import KindleError
from kindle.exchange import TRACE_READINGS, Observe, Request, Rest, Stimulate
from kindle.inputs import inputs_of
from kindle.keeping import acknowledge
from kindle.locking import Busy
from kindle.progress import unheard
from kindle.protocols.catalogue import Plan, trains_of
from kindle.rows import Animal
from kindle.safety import SafetyLimits
from kindle.session import LastTrain, end_unfinished, run_session
from kindle.study import create_study, open_study

STUDY = f'name = "safety model"\n[status]\nafter_s = {ALARM_AFTER_S}\n'
BEGUN = datetime(2026, 2, 2, 9, tzinfo=UTC)

GOES_ON_S = (0.0003, 0.015, 0.045, 1.0, 4.0, 15.0, 40.0)
TO_ITS_END_S = 200.0
"""Longer than any request takes whose person does what is asked."""
MISHAPS = (*FAULTS, *("a crash",) * 4, *("stop",) * 3, *("stop at once",) * 3, *("a second opener",) * 4)
LEAST_TRIAL_S = 2.0
"""From the onset of a train to the end of its trial, when nothing is cut short."""
RESTARTS_S = 0.02
"""Nobody starts a program anew sooner; a train that was triggered before has begun by then."""
WATCHES_S = (0.0, 0.033, 0.07, TO_ITS_END_S, TO_ITS_END_S, TO_ITS_END_S)
"""For so long a train is let go before the next thing happens."""


class SafetyMachine(RuleBasedStateMachine):
    """A rig that is asked for anything, or sessions of a study; ``tally`` is shared by all its runs."""

    tally: ClassVar[Tally] = Tally()

    bench: SafetyBench
    limits: SafetyLimits
    program: Program | None = None
    main: RigProgram | SessionProgram | None = None
    person: Person
    folder: Path | None = None
    set_back_s = 0.0
    plan: Plan | None = None
    spent = False
    """The animal has had all that it may have."""
    rested = False
    """Hours have passed since the last program."""
    n_counted = 0
    """Trains that the tally has."""

    @initialize(
        kind=st.sampled_from(tuple(STIMULATORS)),
        limits=some_limits(),
        seed=st.sampled_from((1, 2, 3)),
        with_acts=st.sampled_from((False, False, True)),
        in_study=st.sampled_from((False, False, False, True)),
        earlier=st.sampled_from((0.0, 0.0, 0.9)),
    )
    def a_rig(
        self, kind: Kind, limits: SafetyLimits, seed: int, with_acts: bool, in_study: bool, earlier: float
    ) -> None:
        self.limits, self.with_acts, self.in_study = limits, with_acts, in_study
        self.earlier_uc = earlier * limits.max_charge_per_day_uc
        self.bench = SafetyBench(kind, limits, seed, ALARM_AFTER_S if in_study else float("inf"))
        if in_study:
            self.folder = Path(tempfile.mkdtemp(prefix="kindle-safety-", dir=_memory()))
            create_study(self.folder / "study", STUDY)
            with open_study(self.folder / "study") as study:
                study.add_animal(Animal(ANIMAL), BEGUN - timedelta(days=1))
        self.count("a_rig")

    # Programs begin and end.

    @precondition(lambda self: not self.running and not self.in_study)
    @rule(to_message=st.sampled_from((False, False, False, True)))
    def connects(self, to_message: bool) -> None:
        self.connects_anew(to_message=to_message)
        self.count("connects")

    @precondition(lambda self: not self.running and self.in_study)
    @rule(
        plan=st.one_of(st.none(), plans(spoilt=False), plans(spoilt=True)),
        to_message=st.sampled_from((False, False, True)),
    )
    def begins_session(self, plan: Plan | None, to_message: bool) -> None:
        """Or resumes the one that was interrupted; ``None`` is the plan that was asked for last."""
        if plan is not None:
            self.plan = spaced(plan, self.limits)
        if (plan := self.plan) is None:
            return
        # An interrupted session goes on with its own plan.
        self.bench.observer.asked += trains_of(plan)[-1:]
        due_us = self.main.due_us if isinstance(self.main, SessionProgram) else None
        came = due_us is not None and self.bench.observer.train_since(due_us)
        last_train: LastTrain = "delivered" if came else "void"
        person = self.new_person()
        main = SessionProgram(
            self.bench, person, self.study, plan, self.now, with_acts=self.with_acts, last_train=last_train
        )
        self.begins(main, to_message=to_message)
        self.count("begins_session")

    # Requests.

    @precondition(lambda self: self.idle)
    @rule(train=sound_trains(), waits=st.sampled_from((True, True, True, False)), seconds=st.sampled_from(WATCHES_S))
    def asks_for_a_train(self, train: PulseTrain, waits: bool, seconds: float) -> None:
        self.asks_for(train, waits=waits, seconds=seconds)
        self.count("asks_for_a_train")

    @precondition(lambda self: self.idle and self.bench.observer.asked)
    @rule(waits=st.sampled_from((True, True, True, False)), seconds=st.sampled_from(WATCHES_S))
    def asks_for_the_same_train(self, waits: bool, seconds: float) -> None:
        self.asks_for(self.bench.observer.asked[-1], waits=waits, seconds=seconds)
        self.count("asks_for_the_same_train")

    @precondition(lambda self: self.idle)
    @rule(train=st.one_of(sound_trains(), spoilt_trains()), fresh=st.booleans())
    def asks_for_any_train(self, train: PulseTrain, fresh: bool) -> None:
        """Beyond the limits as a rule, and of a rig that was told to stop."""
        self.asks_for(train, waits=False, seconds=TO_ITS_END_S, fresh=fresh)
        self.count("asks_for_any_train")

    @precondition(lambda self: self.idle and self.spent)
    @rule()
    def takes_the_next_animal(self) -> None:
        """The last one has had what it may have."""
        assert isinstance(self.main, RigProgram)
        assert self.program is not None
        self.main.is_over, self.program.wanted = True, True
        self.goes_on(0.0)
        self.connects_anew(to_message=False)
        self.count("takes_the_next_animal")

    @precondition(lambda self: self.idle)
    @rule(seconds=st.sampled_from((0.01, 1.0, 6.0, 12.0, 30.0)), observing=st.booleans())
    def rests(self, seconds: float, observing: bool) -> None:
        self.asks(Observe(seconds, "racine_1972") if observing else Rest(seconds, "model"), TO_ITS_END_S)
        self.count("rests")

    # The person.

    @precondition(lambda self: self.running and self.person.may_arm)
    @rule(both=st.sampled_from((True, True, False)))
    def arms(self, both: bool) -> None:
        self.person.arms()
        self.goes_on(1.5)
        if both and self.running and self.person.may_fire:
            self.fires_now()
        self.count("arms")

    @precondition(lambda self: self.running and self.person.may_fire)
    @rule()
    def fires(self) -> None:
        self.fires_now()
        self.count("fires")

    @precondition(lambda self: self.running and (self.person.question is not None or self.person.asked_for_name))
    @rule(choice=st.integers(0, 7))
    def answers(self, choice: int) -> None:
        """Of the trace the truth, or the cautious answer."""
        choices = self.person.question
        if self.person.asked_for_name:
            self.bench.observer.acknowledged()
            self.person.answers("A. Person")
        elif choices == TRACE_READINGS:
            heard = self.bench.rat.heard
            discharged = bool(heard) and heard[-1].discharge_us is not None
            self.person.answers("stop" if choice == 0 else "afterdischarge" if discharged else "none")
        elif choices is not None:
            self.person.answers(choices[choice % len(choices)] if choices else "100")
        self.goes_on(0.1)
        self.count("answers")

    @precondition(lambda self: self.running and not self.person.stop and self.bench.observer.in_train)
    @rule(at_once=st.booleans())
    def stops_a_train(self, at_once: bool) -> None:
        self.stops(at_once=at_once)
        self.goes_on(0.2)
        self.count("stops_a_train")

    @precondition(lambda self: self.running and not self.idle)
    @rule(seconds=st.sampled_from(GOES_ON_S), to_message=st.sampled_from((False, False, False, True)))
    def time_passes(self, seconds: float, to_message: bool) -> None:
        self.goes_on(seconds, to_message=to_message)
        self.count("time_passes")

    # What goes wrong.

    @precondition(lambda self: self.running)
    @rule(what=st.sampled_from(MISHAPS), lasts_s=st.sampled_from((0.0, 0.03, 0.2, 3.0, None)))
    def something_happens(self, what: str, lasts_s: float | None) -> None:
        """A fault that lasts for ``None`` lasts until somebody begins anew."""
        match what:
            case "a crash":
                self.crashes()
            case "a second opener":
                self.is_opened_a_second_time()
            case "stop" | "stop at once":
                if not self.person.stop:
                    self.stops(at_once=what == "stop at once")
                self.goes_on(lasts_s or 0.0)
            case fault:
                self.breaks(fault, lasts_s)
        self.count("something_happens")

    # Days.

    @precondition(lambda self: not self.running and self.in_study and not self.rested)
    @rule(
        hours=st.sampled_from((0.001, 0.01, 0.5, 23.9, 24.1)),
        set_back=st.sampled_from((False, False, False, True)),
        put_right=st.sampled_from(("", "alarm", "session", "both")),
    )
    def hours_pass(self, hours: float, set_back: bool, put_right: str) -> None:
        """Somebody may set the computer's clock back, acknowledge an alarm, or end a session that is not wanted."""
        self.rested = True
        self.bench.plays_on()
        self.bench.observer.away_s += hours * 3600
        self.set_back_s += 3600.0 * set_back
        if not put_right:
            self.count("hours_pass")
            return
        with open_study(self.study) as study:
            if put_right in ("session", "both"):
                with suppress(KindleError):
                    end_unfinished(study, ANIMAL, "not wanted", now=self.now)
                    self.session_is_over()
            if put_right in ("alarm", "both"):
                with suppress(KindleError):
                    acknowledge(study, ANIMAL, "A. Person", self.now())
                    self.bench.observer.acknowledged()
        self.count("hours_pass")

    @invariant()
    def no_rule_is_broken(self) -> None:
        if hasattr(self, "bench"):
            self.bench.observer.look()
            assert not self.bench.observer.violations, "; ".join(self.bench.observer.violations)

    def teardown(self) -> None:
        if hasattr(self, "bench"):
            self.tally.stop_latencies_us += self.bench.observer.stop_latencies_us
        if self.running:
            assert self.program is not None
            self.program.dies()
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)

    # How the model goes about it.

    def crashes(self) -> None:
        """Nothing is closed, nothing is stopped, nothing more is written."""
        assert self.program is not None
        self.bench.observer.loses_sight()
        self.bench.observer.ends()
        self.program.dies()
        self.tally.programs[f"{self.kind_of_program}: killed"] += 1

    def stops(self, *, at_once: bool) -> None:
        assert self.program is not None
        self.tally.n_stops += 1
        self.bench.observer.pressed_stop(sound=self.bench.line_sound and self.bench.board_sound)
        self.person.stop = True
        if at_once and self.bench.stimulator is not None and not self.program.in_exchange:
            self.bench.stimulator.abort()

    def breaks(self, fault: str, lasts_s: float | None) -> None:
        self.tally.faults[fault] += 1
        self.bench.observer.loses_sight()
        FAULTS[fault](self.bench)
        if lasts_s is not None:
            self.goes_on(lasts_s)
            self.bench.mend()

    def is_opened_a_second_time(self) -> None:
        """The animal by another program of the study, the board by another source."""
        if self.in_study and self.plan is not None:
            with open_study(self.study) as study:
                try:
                    prepared = prepared_for(self.plan, self.bench)
                    run_session(study, prepared, untouched(), self.person, unheard, now=self.now)
                    self.bench.observer.found("a second program opened the animal")
                except Busy:
                    self.tally.n_second_openers += 1
        if self.bench.in_use:
            second = BoardSource(self.bench.board, inputs_of(self.bench.config), RATE_HZ)
            try:
                second.start()
                self.bench.observer.found("a second program opened the rig")
            except BoardError:
                self.tally.n_second_openers += 1
            second.close()

    def asks_for(self, train: PulseTrain, *, waits: bool, seconds: float, fresh: bool = True) -> None:
        if waits:
            self.asks(Rest(max(self.limits.min_interval_s - LEAST_TRIAL_S, 0.1), "interval"), TO_ITS_END_S)
        if self.idle:
            self.tally.n_asked += 1
            self.bench.observer.asked = (train,)
            self.asks(Stimulate(train), seconds, fresh=fresh)

    @property
    def running(self) -> bool:
        return self.program is not None and not self.program.over

    @property
    def idle(self) -> bool:
        return self.program is not None and self.program.idle and not self.program.over

    @property
    def study(self) -> Path:
        assert self.folder is not None
        return self.folder / "study"

    @property
    def kind_of_program(self) -> str:
        return "session" if self.in_study else "rig"

    def now(self) -> datetime:
        return BEGUN + timedelta(seconds=self.bench.observer.life_s - self.set_back_s)

    def count(self, step: str) -> None:
        self.tally.steps[step] += 1
        n_new = self.bench.observer.n_trains - self.n_counted
        self.n_counted += n_new
        self.tally.n_delivered += n_new
        self.tally.n_delivering_steps += n_new > 0

    def new_person(self) -> Person:
        self.person = Person(self.bench.clock)
        return self.person

    def begins(self, main: RigProgram | SessionProgram, *, to_message: bool) -> None:
        self.rested = False
        self.bench.mend()
        self.bench.clock.wait_until(self.bench.clock.now_us() + round(RESTARTS_S * 1e6), 0.0)
        self.bench.observer.begins(with_acts=self.with_acts)
        self.main = main
        self.program = self.person.program = Program(self.bench.clock, main)
        self.goes_on(0.0, to_message=to_message)

    def connects_anew(self, *, to_message: bool) -> None:
        if self.program is not None:
            self.bench.plays_on()
        self.bench.observer.new_animal(self.earlier_uc)
        main = RigProgram(self.bench, self.new_person(), with_acts=self.with_acts, earlier_uc=self.earlier_uc)
        self.spent = False
        self.begins(main, to_message=to_message)

    def asks(self, request: Request, seconds: float, *, fresh: bool = True) -> None:
        assert isinstance(self.main, RigProgram)
        assert self.program is not None
        self.main.asks(request, on_a_fresh_rig=fresh)
        self.program.wanted = True
        self.goes_on(seconds)
        if self.main.refusal is not None:
            refused_by = reason(self.main.refusal)
            self.spent = refused_by in ("max_trains_per_session", "max_charge_per_session_uc", "max_charge_per_day_uc")
            self.tally.refused[refused_by] += 1

    def goes_on(self, seconds: float, *, to_message: bool = False) -> None:
        assert self.program is not None
        if not self.running:
            return
        self.program.goes_on(seconds, to_message=to_message)
        if self.program.over:
            if how(self.program.error).startswith("failed"):
                self.bench.observer.found(f"the program {how(self.program.error)}")
            self.bench.observer.ends()
            self.tally.ended(self.kind_of_program, self.program.error)
            if self.in_study and self.program.error is None:
                self.session_is_over()

    def session_is_over(self) -> None:
        self.bench.plays_on()
        self.bench.observer.new_session()
        self.bench.observer.asked = ()

    def fires_now(self) -> None:
        self.bench.observer.pressed_fire()
        self.person.fires()
        self.goes_on(TO_ITS_END_S if not self.in_study else 5.0)


def _memory() -> Path | None:
    """A folder in memory, where there is one: a study's every row waits for the disk."""
    shared = Path("/dev/shm")
    return shared if shared.is_dir() else None
