"""Trains from the edges of a TTL, and from the shape of their artefact."""

import numpy as np
import pytest
from generators import UV_PER_COUNT, Recording, draw, movement, regular
from hypothesis import given
from hypothesis import strategies as st

from detectors.criterion import Stimulus
from detectors.stimulus import ArtefactTrains, Edge, TtlEdges, trains_of


def test_an_edge_is_the_first_sample_on_the_new_side() -> None:
    assert TtlEdges(0.8, 2.0).push(np.array([0, 0, 3, 3, 0])) == [Edge(2, True), Edge(4, False)]


def test_a_wobble_between_the_thresholds_is_no_edge() -> None:
    row = np.array([0, 1.5, 0.9, 3, 1.5, 0.9, 1.9, 0.5])
    assert TtlEdges(0.8, 2.0).push(row) == [Edge(3, True), Edge(7, False)]


def test_a_row_that_begins_high_has_an_edge_at_its_first_sample() -> None:
    assert TtlEdges(0.8, 2.0).push(np.array([5, 5, 0])) == [Edge(0, True), Edge(2, False)]


def test_lost_samples_move_the_count_on() -> None:
    edges = TtlEdges(0.8, 2.0)
    edges.push(np.zeros(10))
    edges.skip(90)
    assert edges.push(np.array([0, 5])) == [Edge(101, True)]


def test_thresholds_the_wrong_way_round_are_refused() -> None:
    with pytest.raises(ValueError, match="low threshold below"):
        TtlEdges(2.0, 0.8)


@given(st.lists(st.sampled_from([0, 1, 3]), max_size=60), st.lists(st.integers(0, 60), max_size=8))
def test_edges_do_not_depend_on_how_the_row_is_cut(levels: list[int], cuts: list[int]) -> None:
    row = np.array(levels, float)
    pieces = np.split(row, sorted(cut for cut in cuts if cut <= row.size))
    edges = TtlEdges(0.8, 2.0)
    assert [edge for piece in pieces for edge in edges.push(piece)] == TtlEdges(0.8, 2.0).push(row)


def test_a_ttl_that_marks_each_pulse_gives_one_train() -> None:
    edges = [Edge(1000 + 20 * i + shift, rising) for i in range(50) for shift, rising in ((0, True), (2, False))]
    assert trains_of(edges, 1000.0, 5000) == [Stimulus(1000, 1982)]


def test_a_train_still_high_at_the_end_ends_with_the_signal() -> None:
    assert trains_of([Edge(1000, True)], 1000.0, 1500) == [Stimulus(1000, 1500)]


def found(recording: Recording, n_pieces: int = 7) -> list[Stimulus]:
    finder = ArtefactTrains(recording.rate_hz)
    for piece in np.array_split(recording.counts()[0] * UV_PER_COUNT, n_pieces):
        finder.push(piece)
    return finder.trains()


@pytest.mark.parametrize("rate_hz", [500.0, 1000.0, 2000.0, 10_000.0])
def test_a_train_is_found_by_its_artefact(rate_hz: float) -> None:
    recording = draw(0, rate_hz, after_s=20)
    recording.exponential(3000, 0.2)
    recording.units(regular(4, 1, 10), 6)
    (train,) = found(recording)
    assert train.onset_sample == pytest.approx(recording.stimulus.onset_sample, abs=0.002 * rate_hz)
    assert train.end_sample == pytest.approx(recording.stimulus.end_sample, abs=0.002 * rate_hz)
    assert found(recording, 1) == found(recording, 313)


def test_movement_and_discharges_are_not_taken_for_a_train() -> None:
    recording = draw(1, after_s=40)
    recording.units(regular(4, 5, 20), 8)
    recording.add(25, 3000 * movement(recording.rng, 2000, 1000.0, 1, 4))
    recording.add(30, 1000 * movement(recording.rng, 2000, 1000.0, 20, 200))
    uv = recording.counts()[0] * UV_PER_COUNT
    uv[recording.stimulus.onset_sample : recording.stimulus.end_sample] = 0
    finder = ArtefactTrains(1000.0)
    finder.push(uv)
    assert finder.trains() == []
