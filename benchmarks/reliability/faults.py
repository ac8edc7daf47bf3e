"""Every fault of the emulators in every state of every protocol, and what becomes of current, trial and session."""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from benchmarks.reliability.faults_bench import FAULTS, FaultyBench, faulty_bench, mend
from benchmarks.reliability.kill import place
from benchmarks.reliability.kill_bench import LineKind
from benchmarks.reliability.kill_child import ACTS, Truthful, settings
from benchmarks.reliability.kill_sessions import ANIMAL, PLANS
from benchmarks.reliability.result import Result
from kindle.exchange import Stimulate, VoidTrial
from kindle.experimenter import Answer
from kindle.holding import GO_ON
from kindle.prepared import Prepared
from kindle.progress import Arming, Fired, Observing, Progress, Read, Resting, Watching
from kindle.protocols.catalogue import ObservingPlan
from kindle.session import LastTrain, end_unfinished, run_session
from kindle.session_view import SessionView
from kindle.study import Study, open_study
from kindle.telling import told
from kindle.verification import verify_study

STIMULATORS: tuple[LineKind, ...] = get_args(LineKind)
STATES = ("resting", "arming", "in the train", "watching", "asking", "observing")
TRAIN_S = 1.0
STOPPED_S = 0.05
"""Most that current may flow after a stop that the stimulator confirmed."""
BLOCKS_INTO_STATE = 3
"""A train is read in blocks of 20 ms, everything else in blocks of 500 ms."""
QUICK_PLANS = ("kindling", "pentylenetetrazol")


@dataclass(frozen=True, slots=True)
class Cell:
    """One fault in one state of one protocol with one stimulator; ``findings`` is what must not be."""

    stimulator: LineKind
    plan: str
    state: str
    fault: str
    reached: bool
    outcome: str
    message: str
    n_void: int
    current_s: float
    findings: tuple[str, ...]


def run(quick: bool, seconds: float, seed: int = 1) -> Result:
    """The cells in random order; those that do not fit into ``seconds`` are counted as left out."""
    plans = QUICK_PLANS if quick else tuple(PLANS)
    wanted = [
        (plan, state, fault, stimulator)
        for stimulator in STIMULATORS
        for plan in plans
        for state in STATES
        for fault in FAULTS
        if _has_state(plan, state)
    ]
    random.Random(seed).shuffle(wanted)
    ends_s = time.monotonic() + seconds
    cells = []
    for plan, state, fault, stimulator in wanted:
        if time.monotonic() > ends_s:
            break
        cells.append(disturbed(plan, state, fault, stimulator))
    findings = [f"{c.stimulator}, {c.plan}, {c.fault} while {c.state}: {what}" for c in cells for what in c.findings]
    lines = []
    for stimulator in STIMULATORS:
        lines += [f"{stimulator}:", *table([cell for cell in cells if cell.stimulator == stimulator])]
    return Result((*lines, f"{len(cells)} of {len(wanted)} cells", *findings), bool(cells) and not findings)


def table(cells: list[Cell]) -> Iterator[str]:
    """Markdown: faults down, states across, each cell what became of the session, with its number of protocols."""
    yield "| fault | " + " | ".join(STATES) + " |"
    yield "|---" * (len(STATES) + 1) + "|"
    for fault in FAULTS:
        row = []
        for state in STATES:
            here = Counter(_said(c) for c in cells if c.fault == fault and c.state == state and c.reached)
            row.append(", ".join(f"{what} {n}" for what, n in sorted(here.items())) or "-")
        yield f"| {fault} | " + " | ".join(row) + " |"


def disturbed(plan: str, state: str, fault: str, stimulator: LineKind = "pulsepal") -> Cell:
    """A session with the fault from the first time in this state on; then everything is mended and it is resumed."""
    findings: list[str] = []
    with place() as (folder, notes), faulty_bench(stimulator) as bench:
        trigger = Trigger(state, lambda: FAULTS[fault](bench))
        outcome, message = session(plan, folder, notes, bench, trigger)
        if outcome == "traceback":
            findings.append(f"no sentence but {message}")
        current_s = bench.current_s
        with open_study(folder) as study:
            views = study.sessions()
        if current_s > (STOPPED_S if _stop_confirmed(views) else TRAIN_S):
            findings.append(f"current flowed for {current_s:.2f} s after the end of the session")
        findings += resumed(plan, folder, notes, bench, views)
        with open_study(folder) as study:
            views = study.sessions()
        n_due = sum(isinstance(e.request, Stimulate) for view in views for e in view.exchanges)
        if len(bench.living.rat.heard) > n_due:
            findings.append(f"the rat had {len(bench.living.rat.heard)} trains; {n_due} were due")
        n_void = sum(isinstance(e.reply, VoidTrial) for view in views for e in view.exchanges)
        findings += [str(problem) for problem in verify_study(folder)]
    return Cell(stimulator, plan, state, fault, trigger.done, outcome, message, n_void, current_s, tuple(findings))


def session(
    plan: str,
    folder: Path,
    notes: Path,
    bench: FaultyBench,
    trigger: "Trigger",
    last_train: LastTrain = "ask",
) -> tuple[str, str]:
    """How it ended, and the sentence for the person."""
    prepared = Prepared(ANIMAL, PLANS[plan], (), settings().limits, "emulated", simulated=True)
    try:
        with open_study(folder) as study, bench.instruments() as instruments:
            person = Asked(study, notes / ACTS, bench, trigger)
            try:
                run_session(
                    study, prepared, instruments, person, trigger, last_train=last_train, patience=bench.patience()
                )
            finally:
                bench.current_s = bench.living.plays_on()
    except Exception as error:
        sentence = told(error)
        return ("traceback", repr(error)) if sentence is None else ("stopped", sentence)
    return "went on", ""


def resumed(plan: str, folder: Path, notes: Path, bench: FaultyBench, views: list[SessionView]) -> Iterator[str]:
    """What is wrong with the session as it goes on with sound instruments; nothing where it was over."""
    if all(view.outcome is not None for view in views):
        return
    mend(bench)
    n_answered = sum(isinstance(e.request, Stimulate) and e.reply is not None for view in views for e in view.exchanges)
    came: LastTrain = "delivered" if len(bench.living.rat.heard) > n_answered else "void"
    outcome, message = session(plan, folder, notes, bench, Trigger("never", lambda: None), came)
    if outcome == "traceback":
        yield f"resumed: no sentence but {message}"
    elif outcome == "stopped" and "kindle study end" not in message:
        yield f"resumed, it came to: {message}"
    elif outcome == "stopped":
        with open_study(folder) as study:
            end_unfinished(study, ANIMAL, "cannot go on")


@dataclass
class Trigger:
    """Lets the fault happen at the first fact, or question, of its state."""

    state: str
    act: Callable[[], None]
    done: bool = False
    _phase: str = ""
    _n_read: int = 0

    def __call__(self, fact: Progress) -> None:
        match fact:
            case Arming():
                self._phase, self._n_read = "arming", 0
                self.comes_to("arming")
            case Fired():
                self._phase, self._n_read = "in the train", 0
            case Resting():
                self._begin("resting")
            case Watching():
                self._begin("watching")
            case Observing():
                self._begin("observing")
            case Read():
                self._n_read += 1
                if self._n_read == BLOCKS_INTO_STATE:
                    self.comes_to(self._phase)
            case _:
                pass

    def comes_to(self, state: str) -> None:
        if state == self.state and not self.done:
            self.done = True
            self.act()

    def _begin(self, phase: str) -> None:
        if self._phase != phase:
            self._phase, self._n_read = phase, 0


class Asked(Truthful):
    """The truthful experimenter, who may press stop, and whose question is a state too."""

    def __init__(self, study: Study, acts: Path, bench: FaultyBench, trigger: Trigger) -> None:
        super().__init__(study, acts)
        self._bench = bench
        self._trigger = trigger

    def wants_stop(self) -> bool:
        return self._bench.wrong.stop

    def ask(self, text: str, choices: tuple[str, ...]) -> Answer:
        self._trigger.comes_to("asking")
        if choices == GO_ON and self._trigger.done:
            return lambda: "stop"
        return super().ask(text, choices)


def _has_state(plan: str, state: str) -> bool:
    observing = isinstance(PLANS[plan], ObservingPlan)
    if state in ("arming", "in the train", "watching"):
        return not observing
    return state != "observing" or observing


def _stop_confirmed(views: list[SessionView]) -> bool:
    """Whether the last thing that is known of the stimulator is that it stopped."""
    return any(view.interruptions and view.interruptions[-1].stimulator_stop == "confirmed" for view in views)


def _said(cell: Cell) -> str:
    void = f", {cell.n_void} void" if cell.n_void else ""
    return f"{cell.outcome}{void} x"
