"""A timer of the StimJim and the train that runs on it; a pulse blocks the processor and is never cut."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import inf

from drivers.simulated.stimjim_channel import Channel
from drivers.simulated.stimjim_text import summarised
from drivers.simulated.stimulator_output import LevelRecord
from drivers.stimjim_codec import MOST_STAGES, TrainDefinition

TTL_V = 3.3
ENDLESS_US = 2**32
"""How long a stage lasts that is shorter than the code around it: its length wraps."""
LEAST_STAGE_US = 20


@dataclass
class Run:
    """A train that was started: the definition is read anew at each pulse, so a running train can be redefined."""

    started_us: int
    next_us: int
    period_us: int
    definition: Callable[[], TrainDefinition]
    n_pulses: int = 0
    sums: list[tuple[int, int]] = field(default_factory=lambda: [(0, 0)] * MOST_STAGES)


class Timer:
    """T or U; ``step`` does what is due at ``next_us``."""

    def __init__(self, name: str, channels: Sequence[Channel], syncs: Sequence[LevelRecord]) -> None:
        self.name = name
        self._channels = channels
        self._syncs = syncs
        self._run: Run | None = None
        self._last: Run | None = None

    @property
    def next_us(self) -> float:
        return inf if self._run is None else self._run.next_us

    def start(self, index: int, definition: Callable[[], TrainDefinition], now_us: int) -> str:
        """The first pulse is due at once; a train that was running is forgotten without a word."""
        self._run = self._last = Run(now_us, now_us, definition().period_us, definition)
        self._set_sync(TTL_V, now_us)
        return f"\r\nStarted {self.name} train with parameters of PulseTrain {index}\r\n"

    def stop(self, now_us: int) -> str:
        """Without a summary; an unset pointer reads as a train without outputs."""
        self._run = None
        self._set_sync(0.0, now_us)
        return f"Forcing {self.name} train to stop\r\n"

    def forget(self) -> None:
        self._run = self._last = None

    def step(self, now_us: int) -> tuple[int, str]:
        """One tick at ``now_us``: until when the processor is busy, and what it prints."""
        run = self._run
        assert run is not None
        train = run.definition()
        if now_us - run.started_us >= train.duration_us:
            self._run = None
            said = summarised(run.n_pulses, run.sums[: len(train.stages)], train.modes)
            self._set_sync(0.0, now_us)
            return now_us, said
        busy_us = self._pulse(run, train, now_us)
        run.n_pulses += 1
        # A tick that came during the pulse is done right after it; there is room for only one.
        n_ticks = max(1, (busy_us - run.next_us) // run.period_us if run.period_us else 1)
        run.next_us += n_ticks * run.period_us
        return busy_us, ""

    def _pulse(self, run: Run, train: TrainDefinition, now_us: int) -> int:
        at_us = now_us
        for n, stage in enumerate(train.stages):
            readings = [
                channel.put_out(mode, amplitude, at_us)
                for channel, mode, amplitude in zip(
                    self._channels, train.modes, (stage.amplitude0, stage.amplitude1), strict=True
                )
            ]
            # Sums of integers: every reading drops its fraction.
            first, second = (int(total + reading) for total, reading in zip(run.sums[n], readings, strict=True))
            run.sums[n] = (first, second)
            at_us += stage.duration_us if stage.duration_us >= LEAST_STAGE_US else ENDLESS_US
        if train.stages:
            for channel, mode in zip(self._channels, train.modes, strict=True):
                if mode < 2:
                    channel.ground(at_us)
        return at_us

    def _set_sync(self, level: float, now_us: int) -> None:
        modes = self._last.definition().modes if self._last is not None else (3, 3)
        for sync, mode in zip(self._syncs, modes, strict=True):
            if mode < 2:
                sync.set(level, now_us)
