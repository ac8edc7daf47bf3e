"""The acquiring process that is killed: one session over the real clients, and what it was told was safe."""

import os
import struct
import sys
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from msgspec import structs

from benchmarks.reliability.kill_sessions import ANIMAL, PLANS, THRESHOLD_UA
from drivers.interface import Block, Channel, SampleSource
from drivers.nidaq import NidaqSource
from kindle.assembly import Instruments
from kindle.dial_question import DialQuestion
from kindle.exchange import TRACE_READINGS, Injected
from kindle.experimenter import Answer, Unattended
from kindle.inputs import inputs_of
from kindle.interrupted_acts import BEFORE, NOT_YET
from kindle.journal import Journal, Row
from kindle.prepared import Prepared
from kindle.progress import Arming, Fired, Observing, Progress, Read, Resting, Watching
from kindle.rig_config import RigConfig, load_rig
from kindle.session import LastTrain, run_session
from kindle.stimulators import Reach, stimulator_of
from kindle.study import Study, open_study
from kindle.telling import told

ROWS, SAMPLES, ACTS = "rows.txt", "samples.bin", "acts.txt"
"""Beside the study: rows acknowledged, samples handed over, injections given."""


@dataclass(frozen=True, slots=True)
class Life:
    """``daq`` and ``stimulator`` are addresses of a bench that outlives this process; ``notes`` a folder."""

    plan: str
    study: Path
    notes: Path
    daq: str
    stimulator: str
    last_train: LastTrain = "ask"


def settings() -> RigConfig:
    """The emulated rig in larger blocks, its lock-out as short as these plans'."""
    rig = load_rig("emulated")
    return structs.replace(
        rig,
        daq=structs.replace(rig.daq, rate_hz=1000.0, block_s=0.5),
        limits=structs.replace(rig.limits, lockout_after_afterdischarge_s=10.0),
    )


def live(life: Life, line: Connection) -> None:
    """One process from its start to the outcome; each new phase is told on ``line``."""
    _acknowledge_rows(life.notes / ROWS)
    rig = settings()
    source = NidaqSource(rig.daq.device, inputs_of(rig), rig.daq.rate_hz, block=rig.block, remote=life.daq)
    stimulator = stimulator_of(rig, Reach(DialQuestion(), life.stimulator, remote=life.daq))
    counted = Counted(source, os.open(life.notes / SAMPLES, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
    prepared = Prepared(ANIMAL, PLANS[life.plan], (), rig.limits, "emulated", simulated=True)
    try:
        with open_study(life.study) as study:
            line.send("connecting")
            run_session(
                study,
                prepared,
                Instruments(counted, stimulator, rig.block),
                Truthful(study, life.notes / ACTS),
                Phases(line),
                last_train=life.last_train,
            )
        line.send("over")
    except Exception as error:
        sentence = told(error)
        if sentence is None:
            raise
        line.send(f"refused: {sentence}")
        sys.exit(1)
    finally:
        stimulator.close()
        source.close()


@dataclass
class Phases:
    """Tells of each phase as it begins; a phase is a kind of fact until another kind comes."""

    line: Connection
    phase: str = ""

    def __call__(self, fact: Progress) -> None:
        if isinstance(fact, Arming | Fired | Watching | Resting | Observing):
            phase = type(fact).__name__.lower()
        elif isinstance(fact, Read):
            return
        else:
            phase = "between"
        if phase != self.phase:
            self.phase = phase
            self.line.send(phase)


@dataclass
class Counted:
    """A source that notes on disk how many samples the program has been handed."""

    source: SampleSource
    fd: int
    n_samples: int = 0

    @property
    def channels(self) -> tuple[Channel, ...]:
        return self.source.channels

    @property
    def rate_hz(self) -> float:
        return self.source.rate_hz

    def identify(self) -> str:
        return self.source.identify()

    def start(self) -> None:
        self.source.start()

    def read(self, n_samples: int) -> Block:
        block = self.source.read(n_samples)
        self.n_samples += block.shape[1]
        os.pwrite(self.fd, struct.pack("<q", self.n_samples), 0)
        return block

    def close(self) -> None:
        self.source.close()


class Truthful(Unattended):
    """Was there all the time, across every process, and tells what really happened."""

    def __init__(self, study: Study, acts: Path) -> None:
        self._study = study
        self._acts = acts

    def ask(self, text: str, choices: tuple[str, ...]) -> Answer:
        said = self._truth(choices)
        if said == "given":
            with self._acts.open("a", encoding="utf-8") as file:
                file.write("given\n")
        return lambda: said

    def _truth(self, choices: tuple[str, ...]) -> str:
        if choices == TRACE_READINGS:
            last = self._study.sessions()[-1].trains[-1]
            return "afterdischarge" if last.current_ua >= THRESHOLD_UA else "none"
        if BEFORE in choices:
            return BEFORE if self._n_given() > self._n_journalled() else NOT_YET
        return next((answer for answer in ("4", "given", "yes", "go on") if answer in choices), choices[0])

    def _n_given(self) -> int:
        return len(self._acts.read_text(encoding="utf-8").split()) if self._acts.exists() else 0

    def _n_journalled(self) -> int:
        replies = [exchange.reply for view in self._study.sessions() for exchange in view.exchanges]
        return sum(isinstance(reply, Injected) for reply in replies)


def _acknowledge_rows(path: Path) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    append = Journal.append

    def acknowledged(*args: object, **named: object) -> Row:
        row = append(*args, **named)  # type: ignore[arg-type]
        os.write(fd, f"{row.seq} {row.hash}\n".encode())
        return row

    Journal.append = acknowledged  # type: ignore[method-assign]
