"""rig.toml -> instruments; the only code that chooses hardware."""

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import numpy as np

from drivers.interface import SampleSource, Stimulator
from drivers.lsl import LslSource
from drivers.nidaq import NidaqSource
from kindle.benches import Animal, in_own_process, in_process
from kindle.delivery import REST_LIMIT_UA
from kindle.dial_question import DialQuestion
from kindle.inputs import inputs_of
from kindle.lsl_config import LslConfig
from kindle.rig_config import BenchConfig, DaqConfig, RigConfig
from kindle.stimulator_config import AtPort
from kindle.stimulators import Reach, stimulator_of

__all__ = ["Instruments", "assembled", "inputs_of", "rat_of"]


@dataclass(frozen=True, slots=True)
class Instruments:
    source: SampleSource
    stimulator: Stimulator
    block: int
    """Samples read at a time."""
    dial: DialQuestion = field(default_factory=DialQuestion)
    """What a stimulator that is set by hand asks; somebody has to answer."""
    rest_limit_ua: float = REST_LIMIT_UA
    """What the current monitor may show while no train is going on."""


@contextmanager
def assembled(config: RigConfig, animal: str) -> Iterator[Instruments]:
    """The instruments of ``config``, closed at the end with the stimulator made safe first.

    A simulated rat is the animal's own: its name draws it, the same each time.
    """
    dial = DialQuestion()
    with ExitStack() as cleanup:
        match config.bench:
            case None:
                address = config.stimulator.address if isinstance(config.stimulator, AtPort) else ""
                remote = "" if isinstance(config.daq, LslConfig) else config.daq.remote
                source, stimulator = _at(config, remote, Reach(dial, address, remote=remote or None))
            case BenchConfig(where="process") as bench:
                daq, reach = cleanup.enter_context(in_own_process(config, bench, Animal(*rat_of(bench, animal))))
                source, stimulator = _at(config, daq, reach)
            case BenchConfig() as bench:
                source, stimulator = in_process(config, bench, Animal(*rat_of(bench, animal)))
        cleanup.callback(source.close)
        cleanup.callback(stimulator.close)
        yield Instruments(source, stimulator, config.block, dial, config.rest_limit_ua)


def rat_of(bench: BenchConfig, animal: str) -> tuple[int, float]:
    """Seed and threshold in uA of a simulated animal: log-normal around 75 uA, unless the rig plants a threshold."""
    digest = hashlib.sha256(f"{bench.seed}/{animal}".encode()).digest()
    seed = int.from_bytes(digest[:4], "little")
    drawn_ua = float(np.exp(np.random.default_rng(seed).normal(np.log(75.0), 0.6)))
    return seed, bench.threshold_ua if bench.threshold_ua is not None else min(max(drawn_ua, 10.0), 600.0)


def _at(config: RigConfig, daq: str, reach: Reach) -> tuple[SampleSource, Stimulator]:
    # A stimulator opens when it is identified; the source opens now, so it comes last.
    stimulator = stimulator_of(config, reach)
    return _source_of(config, daq), stimulator


def _source_of(config: RigConfig, daq: str) -> SampleSource:
    match config.daq:
        case LslConfig(stream=stream, source_id=source_id) as wanted:
            inputs = [one.as_asked() for one in wanted.inputs]
            return LslSource(stream, inputs, wanted.rate_hz, source_id=source_id, jitter_s=wanted.jitter_s)
        case DaqConfig() as board:
            return NidaqSource(board.device, inputs_of(config), board.rate_hz, block=config.block, remote=daq or None)
