"""The verdict does not depend on how the signal was cut, on the other channels, or on when somebody asked."""

import pickle
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from detectors.afterdischarge import AfterdischargeDetector
from detectors.criterion import Criterion, Judgement, Stimulus

RATES_HZ = (250.0, 500.0, 512.0, 1000.0, 1017.25, 2000.0, 5000.0, 10000.0)
CRITERION = Criterion(baseline_s=8, onset_window_s=6, secondary_window_s=6, seizure_min_duration_s=4)
UV_PER_COUNT = 0.15
slow = settings(max_examples=16, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


@dataclass(frozen=True)
class Stream:
    rate_hz: float
    samples: NDArray[np.generic] = field(repr=False)
    trains: tuple[Stimulus, ...]
    gap: tuple[int, int] | None


def stream(rate_hz: float, seed: int, n_channels: int, *, floats: bool, with_train: bool, with_gap: bool) -> Stream:
    """Noise, spikes at random, a discharge after the train, and rails held for 10 ms to 1.5 s at random."""
    rng = np.random.default_rng(seed)
    n = round((26 if rate_hz <= 2000 else 20) * rate_hz)
    x = 1500 * rng.standard_normal((n_channels, n)).cumsum(axis=1) / np.sqrt(rate_hz)
    x -= np.linspace(0, 1, n) * x[:, -1:]
    x = x + 300 * rng.standard_normal((n_channels, n))
    wave = np.hanning(max(4, round(0.08 * rate_hz)))
    for channel in range(n_channels):
        random = rng.uniform(0, n / rate_hz - 1, 12)
        discharge = np.arange(11.4, 11.4 + rng.uniform(2, 6), rng.uniform(0.15, 0.6))
        for second in [*random, *discharge]:
            at = round(second * rate_hz)
            x[channel, at : at + wave.size] += rng.uniform(9000, 22000) * wave[: n - at]
        for _ in range(rng.integers(0, 6)):
            at = rng.integers(0, n)
            x[channel, at : at + round(rng.uniform(0.01, 1.5) * rate_hz)] = 60000 * rng.choice([-1, 1])
    train = Stimulus(round(10 * rate_hz) + 3, round(11 * rate_hz) + 7)
    x[:, train.onset_sample : train.end_sample] = 60000
    x = np.clip(x, -32768, 32767)
    if floats:
        x[0, rng.integers(0, n, 3)] = np.nan
    gap = (round(13 * rate_hz) + 11, round(13.6 * rate_hz) + 5) if with_gap else None
    return Stream(rate_hz, x if floats else x.astype(np.int16), (train,) if with_train else (), gap)


streams = st.builds(
    stream,
    rate_hz=st.sampled_from(RATES_HZ),
    seed=st.integers(0, 10_000),
    n_channels=st.integers(1, 3),
    floats=st.booleans(),
    with_train=st.sampled_from([True, True, True, False]),
    with_gap=st.booleans(),
)


class Run:
    """A detector fed block by block, its marks given just before the block that holds them."""

    def __init__(self, of: Stream, channels: slice = slice(None)) -> None:
        self._of = of
        self._samples = of.samples[channels]
        n = self._samples.shape[0]
        self.detector = AfterdischargeDetector(
            n, of.rate_hz, [UV_PER_COUNT] * n, CRITERION, rails=[(-32768, 32767)] * n
        )
        self._marks = sorted([(t.onset_sample, True) for t in of.trains] + [(t.end_sample, False) for t in of.trains])
        self._position = 0

    def advance(self, stop: int) -> None:
        while self._marks and self._marks[0][0] < stop:
            sample, begins = self._marks.pop(0)
            (self.detector.stimulus_begins if begins else self.detector.stimulus_ends)(sample)
        gap = self._of.gap
        if gap and self._position <= gap[0] < stop:
            self.detector.push(self._samples[:, self._position : gap[0]])
            self.detector.gap(gap[1] - gap[0])
            self._position = gap[1]
        if stop > self._position:
            self.detector.push(self._samples[:, self._position : stop])
            self._position = stop

    def whole(self, cuts: Sequence[int] = ()) -> "Run":
        for cut in [*cuts, self._samples.shape[1]]:
            self.advance(cut)
        self.detector.finish()
        return self

    def events(self) -> str:
        """Everything found, as text: NaN compares equal there, and every digit counts."""
        return repr((self.detector.judgements(), self.detector.seizures()))


def even_cuts(of: Stream, size: int) -> list[int]:
    return list(range(size, of.samples.shape[1], size))


@slow
@given(streams, st.integers(1, 9000), st.randoms(use_true_random=False))
def test_the_verdict_does_not_depend_on_how_the_signal_is_cut(of: Stream, size: int, random: object) -> None:
    n = of.samples.shape[1]
    whole = Run(of).whole().events()
    ragged = sorted(np.random.default_rng(size).integers(0, n, 40).tolist())
    assert Run(of).whole(ragged).events() == whole
    assert Run(of).whole(even_cuts(of, max(size, n // 200))).events() == whole
    assert Run(of).whole(even_cuts(of, max(1, int(of.rate_hz / 3)))).events() == whole


@pytest.mark.parametrize(("rate_hz", "seed"), [(250.0, 1), (512.0, 2), (1017.25, 3)])
def test_blocks_of_one_sample_give_what_one_block_gives(rate_hz: float, seed: int) -> None:
    of = stream(rate_hz, seed, 2, floats=False, with_train=True, with_gap=True)
    ones = list(range(round(9.5 * rate_hz), round(14 * rate_hz)))
    assert Run(of).whole(ones).events() == Run(of).whole().events()


@slow
@given(streams)
def test_a_channel_among_others_gives_what_it_gives_alone(of: Stream) -> None:
    together = Run(of).whole().detector
    for channel in range(of.samples.shape[0]):
        alone = Run(of, slice(channel, channel + 1)).whole().detector
        assert repr(alone.judgements(0)) == repr(together.judgements(channel))
        assert repr(alone.seizures()[0]) == repr(together.seizures()[channel])


@slow
@given(streams, st.lists(st.floats(0.05, 0.95), min_size=1, max_size=4))
def test_a_detector_saved_and_restored_goes_on_as_if_nothing_had_happened(of: Stream, shares: list[float]) -> None:
    run = Run(of)
    for share in sorted(shares):
        run.advance(round(share * of.samples.shape[1]))
        run.detector = pickle.loads(pickle.dumps(run.detector))
    assert run.whole().events() == Run(of).whole().events()


@slow
@given(streams)
def test_what_was_final_stays_as_it_was(of: Stream) -> None:
    run, early = Run(of), []
    for cut in even_cuts(of, max(1, int(of.rate_hz / 4))):
        run.advance(cut)
        early.append(_final(run))
    run.whole()
    late = _final(run)
    for seen in early:
        for channel, judgements in enumerate(seen):
            assert repr(judgements) == repr(late[channel][: len(judgements)])


def test_the_streams_of_these_properties_do_hold_discharges_and_blindness() -> None:
    found = [
        Run(stream(1000.0, seed, 1, floats=False, with_train=True, with_gap=False)).whole().detector.judgements(0)[0]
        for seed in range(30)
    ]
    verdicts = [judgement.verdict.value for judgement in found]
    assert min(verdicts.count(verdict) for verdict in ("afterdischarge", "none", "undetermined")) >= 2, verdicts


def _final(run: Run) -> list[list[Judgement]]:
    return [[judgement for judgement in channel if judgement.final] for channel in run.detector.judgements()]
