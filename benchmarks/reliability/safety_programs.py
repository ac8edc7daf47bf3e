"""The two programs of the safety model: a rig that is asked for anything at all, and whole sessions of a study."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from benchmarks.reliability.safety_bench import BLOCK_S, RATE_HZ, SafetyBench
from benchmarks.reliability.safety_person import Person
from benchmarks.reliability.safety_turns import Program
from detectors.criterion import Criterion
from kindle.bridging import Bridge
from kindle.errors import UnsafeStimulus
from kindle.exchange import Request, Stimulate
from kindle.interrupted import Unrecorded
from kindle.journal import Journal, Row
from kindle.prepared import Prepared
from kindle.progress import Arming, Progress
from kindle.protocols.catalogue import Plan
from kindle.rig import Rig
from kindle.safety import Exposure
from kindle.session import LastTrain, run_session
from kindle.stream import Stream
from kindle.study import CONFIG, JOURNAL, Study, read_config

BASELINE_S, WATCH_S = 3.0, 2.0
CRITERION = Criterion(
    baseline_s=BASELINE_S, onset_window_s=2.0, min_duration_s=1.0, secondary_window_s=2.0, merge_gap_limit_s=2.0
)
"""Of short discharges, so that a trial is over in seconds."""
ANIMAL = "R01"


class RigProgram:
    """Connects, then performs one request after the other; a refused train ends a rig, the next needs a fresh one."""

    def __init__(self, bench: SafetyBench, person: Person, *, with_acts: bool, earlier_uc: float) -> None:
        self.refusal: UnsafeStimulus | None = None
        """Of the last request."""
        self.is_over = False
        """Nothing more will be asked."""
        self._bench = bench
        self._person = person
        self._acts = person if with_acts else None
        self._exposure = Exposure(earlier_charge_uc=earlier_uc)
        self._request: Request | None = None
        self._on_a_fresh_rig = True

    def asks(self, request: Request, *, on_a_fresh_rig: bool) -> None:
        self._request, self._on_a_fresh_rig, self.refusal = request, on_a_fresh_rig, None

    def __call__(self, program: Program) -> None:
        with self._bench.connected(program) as instruments:
            instruments.stimulator.identify()
            instruments.source.start()
            stream = Stream(instruments.source, Unrecorded(), CRITERION, round(BLOCK_S * RATE_HZ), _unheard)
            rig = None
            while True:
                while (request := self._request) is None:
                    program.waits_to_be_asked()
                    if self.is_over:
                        return
                self._request = None
                if rig is None or self._on_a_fresh_rig:
                    exposure = self._exposure if rig is None else rig.exposure
                    rig = Rig(
                        stream,
                        instruments.stimulator,
                        self._bench.config.limits,
                        self._person,
                        watch_s=WATCH_S,
                        baseline_s=BASELINE_S,
                        recording="",
                        listener=_unheard,
                        exposure=exposure,
                        bridge=Bridge(instruments.source, stream, _unheard, self._bench.patience(program)),
                        acts=self._acts,
                    )
                try:
                    self._perform(rig, request)
                except UnsafeStimulus as refused:
                    self.refusal = refused

    def _perform(self, rig: Rig, request: Request) -> None:
        if isinstance(request, Stimulate):
            rig.await_acts(request.train)
        rig.perform(request)


class SessionProgram:
    """Begins or resumes a session of the animal."""

    def __init__(
        self,
        bench: SafetyBench,
        person: Person,
        folder: Path,
        plan: Plan,
        now: Callable[[], datetime],
        *,
        with_acts: bool,
        last_train: LastTrain = "ask",
    ) -> None:
        self.due_us: int | None = None
        """When the last train was due."""
        self.holds_animal = False
        """Until the session has ended; the stimulator may be closed some time later."""
        self._bench = bench
        self._person = person
        self._folder = folder
        self._plan = plan
        self._now = now
        self._acts = person if with_acts else None
        self._last_train = last_train

    def __call__(self, program: Program) -> None:
        with MortalJournal.open(self._folder / JOURNAL) as journal, self._bench.connected(program) as instruments:
            journal.program = program
            study = Study(self._folder, read_config(self._folder / CONFIG), journal)
            self.holds_animal = True
            try:
                run_session(
                    study,
                    prepared_for(self._plan, self._bench),
                    instruments,
                    self._person,
                    self._hear,
                    last_train=self._last_train,
                    now=self._now,
                    patience=self._bench.patience(program),
                    acts=self._acts,
                )
            finally:
                self.holds_animal = False

    def _hear(self, fact: Progress) -> None:
        if isinstance(fact, Arming):
            self.due_us = self._bench.clock.now_us()


class MortalJournal(Journal):
    """A journal that a program which has died does not write any more."""

    program: Program | None = None

    def append(self, *args: object, **named: object) -> Row:
        if self.program is not None:
            self.program.require_life()
        return super().append(*args, **named)  # type: ignore[arg-type]


def prepared_for(plan: Plan, bench: SafetyBench) -> Prepared:
    return Prepared(ANIMAL, plan, (), bench.config.limits, "model", simulated=True)


def _unheard(fact: Progress) -> None:
    pass
