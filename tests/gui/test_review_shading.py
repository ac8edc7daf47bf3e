"""What is shaded in the review window, and how its lanes are scaled, without a window."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from kindle.gui.look import LIGHT
from kindle.gui.review.coarse import Outline
from kindle.gui.review.looking import Looking
from kindle.gui.review.opening import entries
from kindle.gui.review.reading import Mark, Reading
from kindle.gui.review.shading import Shade, behind, over
from kindle.gui.review.stacked import FILLED, Stacked

FIXTURES = Path(__file__).parents[2] / "fixtures"
SPAN_S = (41.0, 72.0)


@pytest.fixture
def looking(tmp_path: Path) -> Iterator[Looking]:
    shutil.copytree(FIXTURES / "threshold", tmp_path / "study")
    opened = Looking(entries(tmp_path / "study")[0])
    opened.jump(2)
    yield opened
    opened.close()


@pytest.fixture
def stacked(looking: Looking) -> Stacked:
    made = Stacked(looking)
    made.fit(outline(looking))
    return made


def outline(looking: Looking) -> Outline:
    first, last = (round(s * looking.source.rate_hz) for s in SPAN_S)
    return looking.source.outline(("EEG", "TTL", "Current"), first, last, 2000)


def shaded(looking: Looking, stacked: Stacked, colour: str) -> list[Shade]:
    return [shade for shade in behind(looking, stacked, LIGHT, SPAN_S) if shade.colour == colour]


def test_one_reading_fills_its_lane_and_of_two_each_has_half(looking: Looking, stacked: Stacked) -> None:
    lane = stacked.bands[0]
    (alone,) = shaded(looking, stacked, LIGHT.discharge)
    assert (alone.bottom, alone.top, alone.hatched) == (lane.bottom, lane.top, False)
    assert (alone.first_s, alone.last_s) == (52.447, 61.902)
    looking.heard(Reading("other", (Mark("EEG", 53_000, 60_000, 0.9, "clear"),), ()))
    (above,), (below,) = (shaded(looking, stacked, colour) for colour in (LIGHT.discharge, LIGHT.second))
    assert (above.bottom, above.top, above.hatched) == (lane.middle, lane.top, False)
    assert (below.bottom, below.top, below.hatched) == (lane.bottom, lane.middle, True)


def test_marks_of_channels_that_are_not_there_are_left_out(looking: Looking, stacked: Stacked) -> None:
    looking.heard(Reading("other", (Mark("gone", 53_000, 60_000, 0.9, "clear"),), ()))
    assert shaded(looking, stacked, LIGHT.second) == []


def test_trains_reach_over_all_lanes_and_the_baseline_lies_around_the_middle(
    looking: Looking, stacked: Stacked
) -> None:
    train = shaded(looking, stacked, LIGHT.train)[2]
    assert (train.first_s, train.last_s, train.bottom, train.top) == (51.012, 52.012, stacked.bottom, 0.0)
    (band,) = shaded(looking, stacked, LIGHT.quiet)
    lane = stacked.bands[0]
    assert looking.stop is not None
    assert looking.stop.trial is not None
    baseline_uv = looking.stop.trial.baseline_uv
    assert baseline_uv is not None
    half = baseline_uv / stacked.half_range("EEG") * FILLED * lane.half
    assert (band.bottom, band.top) == (pytest.approx(lane.middle - half), pytest.approx(lane.middle + half))


def test_where_the_detector_had_an_edge_is_shown_only_once_it_was_moved(looking: Looking, stacked: Stacked) -> None:
    assert over(looking, stacked, LIGHT) == []
    looking.nudge(0.5)
    assert [(shade.first_s, shade.colour) for shade in over(looking, stacked, LIGHT)] == [
        (52.447, LIGHT.onset),
        (61.902, LIGHT.end),
    ]


def test_the_artefact_of_the_train_sets_no_scale_and_is_cut_at_the_border_of_its_lane(
    looking: Looking, stacked: Stacked
) -> None:
    assert stacked.half_range("EEG") == 1000.0
    _, heights = stacked.curve(outline(looking), 0)
    lane = stacked.bands[0]
    assert (heights.min(), heights.max()) == (lane.bottom, lane.top)
    assert stacked.reach("EEG", 1e6) == lane.half


def test_scales_are_told_where_there_is_room_and_names_of_many_channels_are_thinned(stacked: Stacked) -> None:
    roomy, tight, none = ([label for _, label in stacked.labels(px, 20.0)] for px in (600.0, 50.0, 10.0))
    assert roomy == ["EEG\n± 1 mV", "TTL", "Current"]
    assert tight == ["EEG  ± 1 mV", "TTL", "Current"]
    assert none == ["EEG  ± 1 mV"]


def test_gain_changes_brain_signals_only_and_stays_while_one_looks_around(looking: Looking, stacked: Stacked) -> None:
    current = stacked.half_range("Current")
    stacked.change_gain(1)
    assert not stacked.fit(outline(looking))
    assert (stacked.half_range("EEG"), stacked.half_range("Current")) == (500.0, current)


def test_lost_samples_are_drawn_as_nothing(looking: Looking, stacked: Stacked) -> None:
    seen = outline(looking)
    seen.low[0, 100:200] = seen.high[0, 100:200] = np.nan
    stacked.fit(seen)
    _, heights = stacked.curve(seen, 0)
    assert np.isnan(heights[200:400]).all()
    assert np.isfinite(heights[:200]).all()
