"""The envelope of the live traces holds exactly the lowest and the highest sample of every column, however it came."""

import threading

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from kindle.gui.traces.mailbox import Mailbox
from kindle.gui.traces.ring import NOTHING_HIGH, NOTHING_LOW, EnvelopeRing, columns, samples_per_bucket

rates = st.sampled_from([100.0, 256.0, 1000.0, 2000.0, 2048.0, 24414.0625])


@st.composite
def fed(draw: st.DrawFn) -> tuple[EnvelopeRing, np.ndarray]:
    """A ring, and the samples that it was given, NaN where they were passed over."""
    rate_hz = draw(rates)
    ring = EnvelopeRing(2, rate_hz, kept_s=draw(st.sampled_from([0.05, 0.3])))
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    pieces, at = [], 0
    for _ in range(draw(st.integers(1, 12))):
        passed_over = draw(st.sampled_from([0, 0, 0, 1, 7, 400]))
        n = draw(st.sampled_from([0, 1, 2, 3, 29, 64, 1500, 9000]))
        block = rng.integers(-32768, 32768, (2, n)).astype(np.int16)
        pieces += [np.full((2, passed_over if n else 0), np.nan), block.astype(float)]
        if n:
            ring.push(at + passed_over, block)
            at += passed_over + n
    return ring, np.concatenate(pieces, axis=1)


@given(given_to=fed(), n_columns=st.integers(1, 90))
@settings(max_examples=150, deadline=None)
def test_every_column_holds_the_lowest_and_highest_sample_of_its_buckets(
    given_to: tuple[EnvelopeRing, np.ndarray], n_columns: int
) -> None:
    ring, samples = given_to
    size = ring.bucket_samples
    last = -(-ring.n_samples // size)
    first = max(ring.first_bucket, last - 70)
    edges = np.ceil(np.linspace(0, last - first, n_columns + 1)).astype(np.intp)
    low, high = columns(*ring.read(first, last), edges)
    for column in range(n_columns):
        inside = samples[:, (first + edges[column]) * size : (first + edges[column + 1]) * size]
        for row in range(2):
            there = inside[row][np.isfinite(inside[row])]
            assert low[row, column] == (there.min() if there.size else NOTHING_LOW)
            assert high[row, column] == (there.max() if there.size else NOTHING_HIGH)


@given(cuts=st.lists(st.integers(1, 700), min_size=1, max_size=40))
@settings(deadline=None)
def test_the_envelope_does_not_depend_on_how_the_signal_is_cut(cuts: list[int]) -> None:
    signal = np.random.default_rng(3).integers(-3000, 3000, (3, sum(cuts))).astype(np.int16)
    whole, cut = EnvelopeRing(3, 2000.0), EnvelopeRing(3, 2000.0)
    whole.push(0, signal)
    at = 0
    for n in cuts:
        cut.push(at, signal[:, at : at + n])
        at += n
    for one, other in zip(whole.read(0, whole.end_bucket + 1), cut.read(0, cut.end_bucket + 1), strict=True):
        np.testing.assert_array_equal(one, other)


def test_buckets_that_fell_out_of_the_ring_read_as_nothing() -> None:
    ring = EnvelopeRing(1, 2000.0, kept_s=1.0)
    ring.push(0, np.ones((1, 10_000), np.int16))
    low, high = ring.read(0, ring.end_bucket)
    assert (low[0, : ring.first_bucket] > high[0, : ring.first_bucket]).all()
    assert (low[0, ring.first_bucket :] == 1).all()
    assert (ring.end_bucket - ring.first_bucket) * ring.bucket_samples >= 2000


def test_a_recording_that_begins_anew_forgets_the_one_before() -> None:
    ring = EnvelopeRing(1, 1000.0)
    ring.push(0, np.full((1, 5000), 7, np.int16))
    ring.push(0, np.full((1, 10), -7, np.int16))
    low, high = ring.read(0, 5000)
    assert high.max() == -7
    assert (low <= high).sum() == 10 // samples_per_bucket(1000.0)


def test_two_minutes_are_kept_in_memory_that_does_not_grow_with_the_rate() -> None:
    kept = [EnvelopeRing(1, rate_hz).n_buckets for rate_hz in (2000.0, 30_000.0)]
    assert all(n <= 200_000 for n in kept)


def test_a_window_that_is_busy_loses_the_oldest_blocks_and_counts_them() -> None:
    mailbox = Mailbox(100)
    for first in range(0, 250, 50):
        mailbox.put(first, np.full((1, 50), first, np.int16))
    assert [first for first, _ in mailbox.take()] == [150, 200]
    assert mailbox.n_dropped == 150
    assert mailbox.take() == []


def test_a_block_longer_than_the_mailbox_is_still_shown() -> None:
    mailbox = Mailbox(100)
    mailbox.put(0, np.zeros((1, 1000), np.int16))
    assert [block.shape for _, block in mailbox.take()] == [(1, 1000)]
    assert mailbox.n_dropped == 0


def test_what_the_recorder_does_with_its_block_afterwards_is_not_seen() -> None:
    mailbox, block = Mailbox(100), np.ones((1, 10), np.int16)
    mailbox.put(0, block)
    block[:] = 0
    assert mailbox.take()[0][1].tolist() == [[1] * 10]


def test_blocks_put_by_another_thread_arrive_in_order_and_none_is_lost_uncounted() -> None:
    mailbox = Mailbox(5000)

    def record() -> None:
        for first in range(0, 100_000, 50):
            mailbox.put(first, np.zeros((1, 50), np.int16))

    recorder = threading.Thread(target=record)
    recorder.start()
    taken: list[int] = []
    while recorder.is_alive():
        taken += [first for first, _ in mailbox.take()]
    recorder.join()
    taken += [first for first, _ in mailbox.take()]
    assert taken == sorted(taken)
    assert 50 * len(taken) + mailbox.n_dropped == 100_000
