"""What can be done to the rig, its people and its programs in the safety model, and what is counted of it."""

import shutil
import tempfile
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.reliability.safety_asks import ALARM_AFTER_S, spaced
from benchmarks.reliability.safety_bench import RATE_HZ, Kind, SafetyBench, untouched
from benchmarks.reliability.safety_faults import FAULTS
from benchmarks.reliability.safety_person import Person
from benchmarks.reliability.safety_programs import ANIMAL, RigProgram, SessionProgram, prepared_for
from benchmarks.reliability.safety_tally import Tally, how, reason
from benchmarks.reliability.safety_turns import Program
from drivers.interface import PulseTrain
from drivers.simulated.daq_errors import BoardError
from drivers.simulated.source import BoardSource
from kindle.errors import KindleError
from kindle.exchange import TRACE_READINGS, Request, Rest, Stimulate
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

TO_ITS_END_S = 200.0
"""Longer than any request takes whose person does what is asked."""
LEAST_TRIAL_S = 2.0
"""From the onset of a train to the end of its trial, when nothing is cut short."""
RESTARTS_S = 0.02
"""Nobody starts a program anew sooner; a train that was triggered before has begun by then."""
CONNECTS_S = 3.0
"""A stimulator is listened to until it has been quiet for a while; a rig waits to be asked from then on."""
SPENT = ("max_trains_per_session", "max_charge_per_session_uc", "max_charge_per_day_uc")


class SafetyModel:
    """One program at a time: a rig that is asked for anything, or, ``in_study``, sessions of an animal."""

    def __init__(
        self,
        tally: Tally,
        kind: Kind,
        limits: SafetyLimits,
        *,
        seed: int,
        with_acts: bool,
        in_study: bool,
        earlier_uc: float,
    ) -> None:
        self.bench = SafetyBench(kind, limits, seed, ALARM_AFTER_S if in_study else float("inf"))
        self.observer = self.bench.observer
        self.person = Person(self.bench.clock)
        self.program: Program | None = None
        self.plan: Plan | None = None
        self.spent = False
        """The animal has had all that it may have."""
        self.rested = False
        """Hours have passed since the last program."""
        self.in_study = in_study
        self._tally = tally
        self._n_tallied = 0
        """Trains that the tally has."""
        self._limits = limits
        self._with_acts = with_acts
        self._earlier_uc = earlier_uc
        self._set_back_s = 0.0
        self._main: RigProgram | SessionProgram | None = None
        self._place: Path | None = None
        if in_study:
            self._place = Path(tempfile.mkdtemp(prefix="kindle-safety-", dir=_memory()))
            create_study(self.study, STUDY)
            with open_study(self.study) as study:
                study.add_animal(Animal(ANIMAL), BEGUN - timedelta(days=1))

    @property
    def running(self) -> bool:
        return self.program is not None and not self.program.over

    @property
    def idle(self) -> bool:
        return self.program is not None and self.program.idle and not self.program.over

    @property
    def study(self) -> Path:
        assert self._place is not None
        return self._place / "study"

    def counts(self, step: str) -> None:
        n_new = self.observer.n_trains - self._n_tallied
        self._n_tallied += n_new
        self._tally.steps[step] += 1
        self._tally.n_delivered += n_new
        self._tally.n_delivering_steps += n_new > 0

    def is_put_away(self) -> None:
        self._tally.stop_latencies_us += self.observer.stop_latencies_us
        if self.program is not None and not self.program.over:
            self.program.dies()
        if self._place is not None:
            shutil.rmtree(self._place, ignore_errors=True)

    # Programs.

    def connects(self, *, to_message: bool = False) -> None:
        """To the next animal."""
        if self.program is not None:
            self.bench.plays_on()
        self.observer.new_animal(self._earlier_uc)
        self.spent = False
        person = Person(self.bench.clock)
        main = RigProgram(self.bench, person, with_acts=self._with_acts, earlier_uc=self._earlier_uc)
        self._begins(main, person, to_message=to_message)

    def takes_the_next_animal(self) -> None:
        assert isinstance(self._main, RigProgram)
        assert self.program is not None
        self._main.is_over = self.program.wanted = True
        self.goes_on(0.0)
        self.connects()

    def begins_session(self, plan: Plan | None, *, to_message: bool) -> None:
        """Or resumes the one that was interrupted; ``None`` is the plan that was asked for last."""
        if plan is not None:
            self.plan = spaced(plan, self._limits)
        if self.plan is None:
            return
        # An interrupted session goes on with its own plan.
        self.observer.asked += trains_of(self.plan)[-1:]
        due_us = self._main.due_us if isinstance(self._main, SessionProgram) else None
        came = due_us is not None and self.observer.train_since(due_us)
        last_train: LastTrain = "delivered" if came else "void"
        person = Person(self.bench.clock)
        main = SessionProgram(
            self.bench, person, self.study, self.plan, self._now, with_acts=self._with_acts, last_train=last_train
        )
        self._begins(main, person, to_message=to_message)

    def goes_on(self, seconds: float, *, to_message: bool = False) -> None:
        assert self.program is not None
        if self.program.over:
            return
        self.program.goes_on(seconds, to_message=to_message)
        if self.program.over:
            ended = how(self.program.error)
            if ended.startswith("failed"):
                self.observer.found(f"the program {ended}")
            self.observer.ends()
            self._tally.ended(self._kind_of_program, self.program.error)
            if self.in_study and self.program.error is None:
                self._session_is_over()

    def crashes(self) -> None:
        """Nothing is closed, nothing is stopped, nothing more is written."""
        assert self.program is not None
        self.observer.loses_sight()
        self.observer.ends()
        self.program.dies()
        self._tally.programs[f"{self._kind_of_program}: killed"] += 1

    def is_opened_a_second_time(self) -> None:
        """The animal by another program of the study, the board by another source."""
        if isinstance(self._main, SessionProgram) and self._main.holds_animal and self.plan is not None:
            with open_study(self.study) as study:
                try:
                    prepared = prepared_for(self.plan, self.bench)
                    run_session(study, prepared, untouched(), self.person, unheard, now=self._now)
                    self.observer.found("a second program opened the animal")
                except Busy:
                    self._tally.n_second_openers += 1
        if self.bench.in_use:
            second = BoardSource(self.bench.board, inputs_of(self.bench.config), RATE_HZ)
            try:
                second.start()
                self.observer.found("a second program opened the rig")
            except BoardError:
                self._tally.n_second_openers += 1
            second.close()

    # Requests of a rig.

    def asks_for(self, train: PulseTrain, seconds: float, *, waits: bool, fresh: bool = True) -> None:
        """And lets the rig go for ``seconds``. One that ``waits`` lets the interval pass first."""
        if waits:
            self.asks(Rest(max(self._limits.min_interval_s - LEAST_TRIAL_S, 0.1), "interval"), TO_ITS_END_S)
        if self.idle:
            self._tally.n_asked += 1
            self.observer.asked = (train,)
            self.asks(Stimulate(train), seconds, fresh=fresh)

    def asks(self, request: Request, seconds: float, *, fresh: bool = True) -> None:
        assert isinstance(self._main, RigProgram)
        assert self.program is not None
        self._main.asks(request, on_a_fresh_rig=fresh)
        self.program.wanted = True
        self.goes_on(seconds)
        if self._main.refusal is not None:
            refused_by = reason(self._main.refusal)
            self.spent = refused_by in SPENT
            self._tally.refused[refused_by] += 1

    # The person.

    def fires(self) -> None:
        self.observer.pressed_fire()
        self.person.fires()
        self.goes_on(5.0 if self.in_study else TO_ITS_END_S)

    def answers(self, choice: int) -> None:
        """Of the trace the truth, or the cautious answer; of anything else any."""
        choices = self.person.question
        if self.person.asked_for_name:
            self.observer.acknowledged()
            self.person.answers("A. Person")
        elif choices == TRACE_READINGS:
            heard = self.bench.rat.heard
            discharged = bool(heard) and heard[-1].discharge_us is not None
            self.person.answers("stop" if choice == 0 else "afterdischarge" if discharged else "none")
        elif choices is not None:
            self.person.answers(choices[choice % len(choices)] if choices else "100")
        self.goes_on(0.1)

    def stops(self, *, at_once: bool) -> None:
        """The stimulator is told at once, from a thread of its own, or when the program looks next."""
        assert self.program is not None
        if self.person.stop:
            return
        self._tally.n_stops += 1
        # Who waits for a lost answer looks only then; a thread that stops meanwhile is the stimulators' own test.
        sound = self.bench.line_sound and self.bench.board_sound and not self.program.lacks_answer
        self.observer.pressed_stop(sound=sound)
        self.person.stop = True
        if at_once and self.bench.stimulator is not None and not self.program.in_exchange:
            self.bench.stimulator.abort()

    # The world.

    def breaks(self, fault: str, lasts_s: float | None) -> None:
        """``None`` is until somebody begins anew."""
        self._tally.faults[fault] += 1
        self.observer.loses_sight()
        FAULTS[fault](self.bench)
        if lasts_s is not None:
            self.goes_on(lasts_s)
            self.bench.mend()

    def hours_pass(self, hours: float, *, clock_is_set_back: bool) -> None:
        self.rested = True
        self.bench.plays_on()
        self.observer.away_s += hours * 3600
        self._set_back_s += 3600.0 * clock_is_set_back

    def is_put_right(self, *, session: bool, alarm: bool) -> None:
        """A session that nobody wants to resume is ended, an alarm acknowledged, where there are any."""
        with open_study(self.study) as study:
            if session:
                with suppress(KindleError):
                    end_unfinished(study, ANIMAL, "not wanted", now=self._now)
                    self._session_is_over()
            if alarm:
                with suppress(KindleError):
                    acknowledge(study, ANIMAL, "A. Person", self._now())
                    self.observer.acknowledged()

    @property
    def _kind_of_program(self) -> str:
        return "session" if self.in_study else "rig"

    def _now(self) -> datetime:
        return BEGUN + timedelta(seconds=self.observer.life_s - self._set_back_s)

    def _begins(self, main: RigProgram | SessionProgram, person: Person, *, to_message: bool) -> None:
        self.rested = False
        self.bench.mend()
        self.bench.clock.wait_until(self.bench.clock.now_us() + round(RESTARTS_S * 1e6), 0.0)
        self.observer.begins(with_acts=self._with_acts)
        self._main, self.person = main, person
        self.program = person.program = Program(self.bench.clock, main)
        self.goes_on(CONNECTS_S, to_message=to_message)

    def _session_is_over(self) -> None:
        self.bench.plays_on()
        self.observer.new_session()
        self.observer.asked = ()


def _memory() -> Path | None:
    """A folder in memory, where there is one: a study's every row waits for the disk."""
    shared = Path("/dev/shm")
    return shared if shared.is_dir() else None
