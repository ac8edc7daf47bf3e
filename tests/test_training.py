"""Practice at reading traces: other traces for each seed, a known truth, and kappa against it."""

import numpy as np
import pytest

from kindle.training import Reading, training


def test_every_trace_is_told_right_by_its_truth() -> None:
    practice = training(seed=4, n=6)
    while not practice.over:
        practice = practice.answered(practice.clip().truth)
    result = practice.result()
    assert (result.n, result.n_right) == (6, 6)
    assert result.kappa is not None
    assert result.kappa.value == pytest.approx(1.0)


def test_kappa_is_that_of_the_answers_and_not_their_share() -> None:
    """Always the same answer agrees by chance alone: kappa is 0, whatever the share of right answers."""
    practice = training(seed=4, n=8)
    while not practice.over:
        practice = practice.answered(Reading.AFTERDISCHARGE)
    result = practice.result()
    assert 0 < result.n_right < 8
    assert result.kappa is not None
    assert result.kappa.value == pytest.approx(0.0)
    assert "kappa 0.00" in str(result)


def test_one_answer_has_no_kappa() -> None:
    practice = training(seed=4)
    result = practice.answered(practice.clip().truth).result()
    assert result.kappa is None
    assert str(result) == "1 of 1 right; kappa needs answers of more than one kind"


def test_a_seed_gives_the_same_traces_and_another_seed_others() -> None:
    one, again, other = training(1, n=3), training(1, n=3), training(2, n=3)
    assert one.numbers == again.numbers
    assert np.array_equal(one.clip(0).block, again.clip(0).block)
    assert one.numbers != other.numbers


def test_a_clip_shows_its_train_where_the_ttl_is_high() -> None:
    clip = training(3).clip()
    onset, end = clip.train
    ttl = clip.block[1]
    assert ttl[onset:end].min() > 0
    assert ttl[: onset - 1].max() == 0
    assert ttl[end + 1 :].max() == 0
    assert all(0 <= first < last <= clip.block.shape[1] for first, last in clip.discharges)
