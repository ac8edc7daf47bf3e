"""The streaming detector: the same events however the signal is cut into blocks, live and in reanalysis alike."""

from collections.abc import Sequence
from functools import cache
from math import ceil
from typing import Any, Literal, overload

import numpy as np
from numpy.typing import NDArray

from detectors.arrays import Bools
from detectors.criterion import Criterion, Judgement, Seizure
from detectors.follower import Blind
from detectors.front_end import Conditioner, Filtered, FrontEnd
from detectors.grid import EPOCH_S, Grid
from detectors.spikes import REACH, SpikeFinder
from detectors.ticks import HISTORY_TICKS, TickMaker, Ticks
from detectors.watch import SMALLEST_RATIO, Blindness, Live, Queued, TrainBegins, TrainEnds, Watch

_NO_TRAIN_END = 1 << 62


@cache
def make_ready(rate_hz: float) -> None:
    """Have everything compiled that int16 samples at ``rate_hz`` need: some seconds the first time on a computer, next
    to nothing afterwards. To be called before signal arrives that cannot wait."""
    spike = np.hanning(max(3, round(0.05 * rate_hz)))
    signal = np.zeros((1, ceil((EPOCH_S + 2) * rate_hz)), np.int16)
    signal[0, round(rate_hz) : round(rate_hz) + spike.size] = 1000 * spike
    detector = AfterdischargeDetector(1, rate_hz, [1.0], Criterion(), rails=[(-32768, 32767)], baseline_uv=[10.0])
    detector.push(signal)
    detector.finish()


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
        self._conditioner = Conditioner(
            n_channels, self._grid, baseline_s=criterion.baseline_s, settings=settings, fixed_uv=fixed
        )
        least_ratio = SMALLEST_RATIO * criterion.amplitude_ratio
        self._spikes = SpikeFinder(n_channels, self._grid, self._conditioner.response, settings, least_ratio)
        self._watches = [Watch(criterion, self._grid) for _ in range(n_channels)]
        self._queue: list[list[Queued]] = [[] for _ in range(n_channels)]
        self._next_check = 0
        """No watch has anything to decide before this tick, unless an event comes."""
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
        for queue in self._queue:
            queue.append((sample // self._grid.tick_samples, 3, TrainEnds(sample)))

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
        for ticks in self._maker.finish():
            self._process(ticks)
        self._finished = True
        for queue, watch in zip(self._queue, self._watches, strict=True):
            watch.finish(sorted(queue, key=_in_order), self.n_samples)
            queue.clear()

    @overload
    def judgements(self) -> list[list[Judgement]]: ...

    @overload
    def judgements(self, channel: int) -> list[Judgement]: ...

    def judgements(self, channel: int | None = None) -> list[Judgement] | list[list[Judgement]]:
        """A judgement for each train so far, of one channel or per channel; the last may not be final."""
        if channel is None:
            return [watch.judgements(self._known_tick(n)) for n, watch in enumerate(self._watches)]
        return self._watches[channel].judgements(self._known_tick(channel))

    def live(self, channel: int) -> Live:
        baseline = float(self._conditioner.seconds.in_force_uv[channel])
        return self._watches[channel].live(self._known_tick(channel), baseline)

    def seizures(self) -> list[list[Seizure]]:
        """Per channel, what was found before the first train; one that goes on only once the signal is finished."""
        baselines = self._conditioner.seconds.in_force_uv.tolist()
        return [
            watch.seizures(self._known_tick(channel), baseline, ended=self._finished)
            for channel, (watch, baseline) in enumerate(zip(self._watches, baselines, strict=True))
        ]

    def _known_tick(self, channel: int) -> int:
        """All events of ``channel`` before this tick are certain."""
        if self._finished:
            return self.n_samples // self._grid.tick_samples
        return max(0, self._maker.n_ticks - int(self._spikes.undecided[channel]))

    def _process(self, ticks: Ticks) -> None:
        """Parts end where a train begins: there the baseline is fixed from all that came before."""
        begins = {begin // self._grid.tick_samples: begin for begin, _ in self._trains}
        inside = sorted(tick - ticks.first for tick in begins if ticks.first < tick < ticks.first + ticks.n)
        for start, stop in zip([0, *inside], [*inside, ticks.n], strict=True):
            part = ticks.part(start, stop)
            if (onset := begins.get(part.first)) is not None:
                self._fix_baseline(part.first, onset)
            self._release(self._conditioner.push(part, self._forced(part)))
        if self._trains:
            after = self._settings.blank_after_train_s * self._grid.rate_hz
            past = (ticks.first + ticks.n) * self._grid.tick_samples - after
            self._trains = [train for train in self._trains[:-1] if train[1] >= past] + self._trains[-1:]

    def _fix_baseline(self, tick: int, onset: int) -> None:
        self._conditioner.seconds.freeze([watch.discharge_spans() for watch in self._watches])
        baselines = self._conditioner.seconds.in_force_uv.tolist()
        for queue, baseline in zip(self._queue, baselines, strict=True):
            queue.append((tick, 0, TrainBegins(onset, baseline)))

    def _forced(self, ticks: Ticks) -> Bools | None:
        """Ticks in a train or shortly after it; ``None`` where there are none."""
        forced: Bools | None = None
        for begin, end in self._trains:
            first = begin // self._grid.tick_samples - ticks.first
            over = ceil((end + self._settings.blank_after_train_s * self._grid.rate_hz) / self._grid.tick_samples)
            if first < ticks.n and over > ticks.first:
                forced = np.zeros(ticks.n, bool) if forced is None else forced
                forced[max(0, first) : over - ticks.first] = True
        return forced

    def _release(self, ticks: Filtered) -> None:
        """Hand every channel its events up to the last certain tick, in the order of their ticks."""
        spikes = self._spikes.push(ticks)
        self._note_blindness(ticks)
        self._note_disconnection(ticks)
        certain = max(0, ticks.first + ticks.n - REACH)
        due: dict[int, list[Queued]] = {}
        for channel, spike in spikes:
            due.setdefault(channel, []).append((spike.tick, 4, spike))
        for channel, queue in enumerate(self._queue):
            if queue and (ready := [item for item in queue if item[0] < certain]):
                due[channel] = sorted([*due.get(channel, ()), *ready], key=_in_order)
                queue[:] = [item for item in queue if item[0] >= certain]
        if certain >= self._next_check:
            due.update((channel, []) for channel in range(len(self._watches)) if channel not in due)
        if due:
            for channel, items in due.items():
                self._watches[channel].advance(items, certain)
            self._next_check = min(watch.next_check for watch in self._watches)

    def _note_blindness(self, ticks: Filtered) -> None:
        if not (ticks.any_blank or self._blank.any()):
            return
        blank = ticks.blank[:, HISTORY_TICKS:]
        before = np.concatenate([self._blank[:, None], blank[:, :-1]], axis=1)
        changes = blank != before
        self._blank = blank[:, -1].copy()
        lost = np.zeros_like(blank) if ticks.ticks.lost is None else ticks.ticks.lost & blank
        for channel, tick in np.argwhere(changes | lost).tolist():
            at = ticks.first + tick
            sample = at * self._grid.tick_samples
            if changes[channel, tick]:
                state: Literal["begins", "ends"] = "begins" if blank[channel, tick] else "ends"
                self._queue[channel].append((at, 1, Blindness(state, sample)))
            if lost[channel, tick]:
                self._queue[channel].append((at, 2, Blindness("gone", sample)))

    def _note_disconnection(self, ticks: Filtered) -> None:
        for second, channels in ticks.disconnected:
            first, last = (ceil(s * self._grid.rate_hz) for s in (second, second + 1))
            for channel in np.flatnonzero(channels).tolist():
                # The tick in which the second was complete, whatever part of the signal that was found in.
                tick = self._grid.first_tick_of(second + 1)
                self._queue[channel].append((tick, 3, Blind(first, last, gone=True)))

    def _must_be_ahead(self, sample: int) -> None:
        if sample < self.n_samples:
            raise ValueError(f"mark at sample {sample} came too late: {self.n_samples} samples were pushed already")

    def _must_be_open(self) -> None:
        if self._finished:
            raise ValueError("the detector was finished: make a new one for another recording")


def _in_order(item: Queued) -> tuple[int, int]:
    return item[:2]
