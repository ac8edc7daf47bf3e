"""The streaming detector: the same events however the signal is cut into blocks, live and in reanalysis alike."""

from collections.abc import Sequence
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.criterion import Criterion, Judgement, Seizure
from detectors.events import Blind
from detectors.front_end import Conditioner, Filtered, FrontEnd
from detectors.spikes import REACH, SpikeFinder
from detectors.ticks import Bools, Grid, TickMaker, Ticks
from detectors.watch import Blindness, Event, Live, TrainBegins, TrainEnds, Watch

_NO_TRAIN_END = 1 << 62


class AfterdischargeDetector:
    """Afterdischarges after each train, or seizures where there is none; one verdict per channel.

    ``push`` takes ``(n_channels, n)`` blocks of counts (int16 is the canonical type) or of floats, in which NaN is a
    lost sample. ``resolution_uv`` is uV per count, ``rails`` the counts at which each channel clips. Trains are marked
    by absolute sample, before the samples they name. State is bounded and can be pickled at any sample.
    ``baseline_uv`` fixes the baseline of each channel for continuous scanning; otherwise it rolls, leaving out seconds
    that stand out, and is fixed from the clean seconds before each train.
    """

    def __init__(
        self,
        n_channels: int,
        rate_hz: float,
        resolution_uv: Sequence[float],
        criterion: Criterion,
        *,
        rails: Sequence[tuple[float, float] | None] | None = None,
        settings: FrontEnd | None = None,
        baseline_uv: Sequence[float] | None = None,
    ) -> None:
        if not rate_hz > 0 or len(resolution_uv) != n_channels:
            raise ValueError(
                f"expected a rate above 0 and {n_channels} resolutions, got {rate_hz} Hz and {len(resolution_uv)}"
            )
        settings = settings or FrontEnd()
        self._grid = Grid.of(rate_hz)
        self._settings = settings
        self._maker = TickMaker(n_channels, self._grid, resolution_uv, list(rails or [None] * n_channels))
        fixed = None if baseline_uv is None else np.asarray(baseline_uv, np.float64)
        self._conditioner = Conditioner(n_channels, self._grid, criterion.baseline_s, settings, fixed)
        delay = self._conditioner.delay_samples
        self._spikes = SpikeFinder(n_channels, self._grid, delay, settings)
        self._watches = [Watch(criterion, self._grid, delay) for _ in range(n_channels)]
        self._queue: list[list[tuple[int, int, Event]]] = [[] for _ in range(n_channels)]
        self._blank = np.zeros(n_channels, bool)
        self._trains: list[tuple[int, int]] = []
        self._finished = False

    @property
    def n_samples(self) -> int:
        """Samples pushed so far, lost ones included."""
        return self._maker.n_samples

    def stimulus_begins(self, sample: int) -> None:
        """A train begins at ``sample``. Raises ``ValueError`` when its samples were pushed already."""
        self._must_be_ahead(sample)
        if self._trains and sample < self._trains[-1][1]:
            raise ValueError(f"a train cannot begin at sample {sample}: the train before it has not ended there")
        self._trains.append((sample, _NO_TRAIN_END))

    def stimulus_ends(self, sample: int) -> None:
        """The train's first sample after it. Raises ``ValueError`` when its samples were pushed, or no train began."""
        self._must_be_ahead(sample)
        if not self._trains or self._trains[-1][1] != _NO_TRAIN_END or sample <= self._trains[-1][0]:
            raise ValueError(f"a train cannot end at sample {sample}: none began before it")
        self._trains[-1] = (self._trains[-1][0], sample)
        self._announce(sample // self._grid.tick_samples, 3, TrainEnds(sample))

    def push(self, block: NDArray[Any]) -> None:
        """The next ``(n_channels, n)`` samples. Raises ``ValueError`` for another shape, or after ``finish``."""
        self._must_be_open()
        for ticks in self._maker.take(block):
            self._process(ticks)

    def gap(self, n_lost: int) -> None:
        """``n_lost`` samples of every channel are missing here; the time passes, and nothing is known of it."""
        self._must_be_open()
        if n_lost < 0:
            raise ValueError(f"expected a number of lost samples, got {n_lost}")
        for ticks in self._maker.lose(n_lost):
            self._process(ticks)

    def finish(self) -> None:
        """No more samples come: what was not final becomes so, and a discharge going on is truncated."""
        if self._finished:
            return
        self._finished = True
        for queue, watch in zip(self._queue, self._watches, strict=True):
            ahead = sorted((key, order) for key, order, _ in queue)
            tick = max(self._known_tick, ahead[-1][0] + 1 if ahead else 0)
            events = [(key, event) for key, _, event in sorted(queue, key=_by_tick)]
            watch.advance([(min(key, self._known_tick), event) for key, event in events if key < tick], self._known_tick)
            queue.clear()
            watch.finish(self.n_samples)

    def judgements(self) -> list[list[Judgement]]:
        """Per channel, a judgement for each train so far; the last may not be final."""
        return [self.judgements_of(channel) for channel in range(len(self._watches))]

    def judgements_of(self, channel: int) -> list[Judgement]:
        return self._watches[channel].judgements(self._known_tick)

    def live(self, channel: int) -> Live:
        baseline = float(self._conditioner.seconds.in_force_uv[channel])
        return self._watches[channel].live(self._known_tick, baseline)

    def seizures(self) -> list[list[Seizure]]:
        """Per channel, what was found before the first train; one that goes on is listed once the signal is finished."""
        baselines = self._conditioner.seconds.in_force_uv.tolist()
        tick = self.n_samples // self._grid.tick_samples if self._finished else self._known_tick
        return [
            watch.seizures(tick, baseline, ended=self._finished)
            for watch, baseline in zip(self._watches, baselines, strict=True)
        ]

    @property
    def _known_tick(self) -> int:
        """All events before this tick are certain."""
        return max(0, self._maker.n_ticks - REACH)
