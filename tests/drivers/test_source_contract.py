"""What every source of samples promises, whatever stands behind it."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from math import isfinite

import numpy as np
import pytest
from sources import SOURCES

from drivers.interface import Block, DriverError, SampleSource

Opened = Callable[[], AbstractContextManager[SampleSource]]


@pytest.fixture(params=list(SOURCES))
def opened(request: pytest.FixtureRequest) -> Opened:
    return SOURCES[request.param]


def _samples(opened: Opened, sizes: list[int]) -> Block:
    with opened() as source:
        source.start()
        return np.concatenate([source.read(n) for n in sizes], axis=1)


def test_it_is_a_sample_source(opened: Opened) -> None:
    with opened() as source:
        assert isinstance(source, SampleSource)


def test_it_says_what_it_is_before_it_starts(opened: Opened) -> None:
    with opened() as source:
        assert source.identify().strip()
        assert isfinite(source.rate_hz)
        assert source.rate_hz > 0


def test_channels_have_distinct_names_and_usable_scales(opened: Opened) -> None:
    with opened() as source:
        names = [channel.name for channel in source.channels]
        assert names
        assert len(set(names)) == len(names)
        for channel in source.channels:
            low, high = channel.rail_counts
            assert -32768 <= low < high <= 32767
            assert isfinite(channel.resolution)
            assert channel.resolution != 0


@pytest.mark.parametrize("n_samples", [0, 1, 7, 100, 1500])
def test_a_read_gives_exactly_what_was_asked(opened: Opened, n_samples: int) -> None:
    with opened() as source:
        source.start()
        block = source.read(n_samples)
        assert block.shape == (len(source.channels), n_samples)
        assert block.dtype == np.int16


def test_the_samples_do_not_depend_on_how_they_are_asked_for(opened: Opened) -> None:
    whole = _samples(opened, [1600])
    assert np.array_equal(_samples(opened, [1, 99, 250, 3, 1247]), whole)
    assert np.array_equal(_samples(opened, [100] * 16), whole)


def test_a_block_stays_as_it_was_when_more_is_read(opened: Opened) -> None:
    with opened() as source:
        source.start()
        first = source.read(50)
        as_it_was = first.copy()
        source.read(50)
        assert np.array_equal(first, as_it_was)


def test_nothing_lies_beyond_the_rails(opened: Opened) -> None:
    with opened() as source:
        source.start()
        for row, channel in zip(source.read(1500), source.channels, strict=True):
            assert channel.rail_counts[0] <= row.min()
            assert row.max() <= channel.rail_counts[1]


def test_a_closed_source_refuses_to_read(opened: Opened) -> None:
    with opened() as source:
        source.start()
        source.read(10)
        source.close()
        with pytest.raises(DriverError):
            source.read(10)


def test_it_may_be_closed_twice_and_before_it_was_started(opened: Opened) -> None:
    with opened() as source:
        source.close()
        source.close()
