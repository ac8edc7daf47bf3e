"""A recording of hours is outlined exactly, in bounded memory, while somebody looks at it already."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from kindle.gui.review.coarse import MOST_BUCKETS, Coarse, Outline, fill, fine
from kindle.gui.review.source import Source
from kindle.loading import load

FIXTURE = Path(__file__).parents[2] / "fixtures/threshold/recordings/sim-1/20260105_093000_threshold"


def signal(n: int, seed: int) -> NDArray[np.float64]:
    """Two channels with a lost stretch."""
    values = np.random.default_rng(seed).normal(0, 100, (2, n))
    values[:, n // 3 : n // 3 + n // 7] = np.nan
    return values


def assert_holds(outline: Outline, values: NDArray[np.float64]) -> None:
    """Every piece is the lowest and the highest of exactly its samples."""
    edges = np.minimum(outline.edges, values.shape[1]).astype(int)
    for piece, (first, last) in enumerate(pairwise(edges)):
        for row in range(2):
            inside = values[row, first:last].astype(np.float32)
            there = inside[np.isfinite(inside)]
            expected = (there.min(), there.max()) if there.size else (np.nan, np.nan)
            np.testing.assert_array_equal((outline.low[row, piece], outline.high[row, piece]), expected)


@given(
    n=st.integers(65, 9000),
    blocks=st.integers(1, 40),
    columns=st.integers(1, 120),
    seed=st.integers(0, 9),
    data=st.data(),
)
@settings(max_examples=80, deadline=None)
def test_every_piece_holds_the_lowest_and_highest_of_its_samples(
    n: int, blocks: int, columns: int, seed: int, data: st.DataObject
) -> None:
    values, coarse = signal(n, seed), Coarse(2, n)
    for first in range(0, n, blocks * coarse.bucket_samples):
        coarse.push(values[:, first : first + blocks * coarse.bucket_samples])
    first = data.draw(st.integers(0, n - 1))
    last = data.draw(st.integers(first + 1, n))
    outline = coarse.outline([0, 1], first, last, columns)
    assert outline.edges[0] <= first
    assert outline.edges[-1] >= last
    assert outline.low.shape[1] <= columns
    assert_holds(outline, values)


@given(n=st.integers(1, 3000), columns=st.integers(1, 200), seed=st.integers(0, 9))
@settings(max_examples=60, deadline=None)
def test_samples_themselves_are_outlined_alike(n: int, columns: int, seed: int) -> None:
    values = signal(n, seed)
    outline = fine(values, 0, columns)
    assert (outline.edges[0], outline.edges[-1]) == (0, n)
    assert_holds(outline, values)


def test_what_was_not_looked_at_yet_is_shown_as_nothing() -> None:
    coarse = Coarse(1, 10_000)
    coarse.push(np.ones((1, 64 * 50)))
    outline = coarse.outline([0], 0, 10_000, 100)
    known = outline.edges[1:] <= 64 * 50
    assert np.isfinite(outline.low[0][known]).all()
    assert np.isnan(outline.low[0][outline.edges[:-1] >= 64 * 50]).all()
    assert coarse.n_known == 3200


@pytest.mark.parametrize(("n_channels", "hours"), [(16, 1), (8, 24), (64, 48)])
def test_memory_is_bounded_however_long_the_recording_is(n_channels: int, hours: int) -> None:
    coarse = Coarse(n_channels, hours * 3600 * 2000)
    n_buckets = -(-coarse.n_samples // coarse.bucket_samples)
    assert n_channels * n_buckets <= MOST_BUCKETS + n_channels


def test_looking_through_a_recording_ends_when_it_is_not_wanted_any_more() -> None:
    signals = load(FIXTURE)
    coarse = Coarse(len(signals.names), signals.n_samples)
    fill(coarse, signals, lambda: False)
    assert coarse.n_known == 0
    fill(coarse, signals, lambda: True)
    assert coarse.n_known == signals.n_samples


def test_near_and_far_show_the_same_signal() -> None:
    source = Source(FIXTURE)
    try:
        source.wait()
        near = source.outline(["EEG"], 0, source.n_samples, source.n_samples)
        far = source.outline(["EEG"], 0, source.n_samples, 50)
        assert far.low.shape[1] <= 50 < near.low.shape[1]
        assert far.low.min() == near.low.min()
        assert far.high.max() == near.high.max()
        whole = source.signals.read(["EEG"], 0, source.n_samples)[0].astype(np.float32)
        np.testing.assert_array_equal(near.low[0], whole)
    finally:
        source.close()


def test_outside_the_recording_there_is_nothing() -> None:
    source = Source(FIXTURE)
    try:
        assert source.outline(["EEG"], source.n_samples + 5, source.n_samples + 50, 10).low.shape == (1, 0)
        assert source.outline(["EEG", "TTL"], -50, 0, 10).low.shape == (2, 0)
    finally:
        source.close()
