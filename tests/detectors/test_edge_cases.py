"""A defined result for what is late, short, flat, clipped, lost or cut off."""

import pickle

import numpy as np
import pytest
from detecting import judge, onset_s
from generators import RAILS, UV_PER_COUNT, draw, regular

from detectors.afterdischarge import AfterdischargeDetector
from detectors.criterion import Criterion, EndGrade, Verdict


def detector(
    n_channels: int = 1, rate_hz: float = 1000.0, criterion: Criterion | None = None
) -> AfterdischargeDetector:
    return AfterdischargeDetector(
        n_channels, rate_hz, [UV_PER_COUNT] * n_channels, criterion or Criterion(), rails=[RAILS] * n_channels
    )


def test_a_mark_for_samples_already_pushed_is_refused() -> None:
    late = detector()
    late.push(np.zeros((1, 500), np.int16))
    with pytest.raises(ValueError, match="too late"):
        late.stimulus_begins(499)
    late.stimulus_begins(500)
    late.push(np.zeros((1, 200), np.int16))
    with pytest.raises(ValueError, match="too late"):
        late.stimulus_ends(699)


def test_marks_out_of_order_are_refused() -> None:
    marked = detector()
    with pytest.raises(ValueError, match="none began"):
        marked.stimulus_ends(10)
    marked.stimulus_begins(100)
    with pytest.raises(ValueError, match="has not ended"):
        marked.stimulus_begins(200)
    with pytest.raises(ValueError, match="none began"):
        marked.stimulus_ends(100)


@pytest.mark.parametrize("shape", [(2, 10), (10,)])
def test_a_block_of_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="expected a block of 1 channels"):
        detector().push(np.zeros(shape, np.int16))


def test_an_empty_block_changes_nothing() -> None:
    fed = detector()
    fed.push(np.zeros((1, 0), np.int16))
    assert fed.n_samples == 0
    assert fed.judgements() == [[]]


def test_nothing_can_be_pushed_after_the_end() -> None:
    finished = detector()
    finished.finish()
    with pytest.raises(ValueError, match="finished"):
        finished.push(np.zeros((1, 10), np.int16))


def test_a_train_at_the_first_sample_has_no_baseline_and_is_undetermined() -> None:
    counts = draw(0, after_s=60).counts()
    early = detector()
    early.stimulus_begins(0)
    early.stimulus_ends(1000)
    early.push(counts)
    early.finish()
    (judgement,) = early.judgements(0)
    assert judgement.verdict is Verdict.UNDETERMINED
    assert "no baseline" in judgement.reason
    assert np.isnan(judgement.baseline_uv)


def test_less_than_5_clean_seconds_before_the_train_are_no_baseline() -> None:
    recording = draw(0, after_s=60)
    counts = recording.counts()[:, round(56.5 * 1000) :]
    short = detector()
    short.stimulus_begins(3500)
    short.stimulus_ends(4500)
    short.push(counts)
    short.finish()
    assert short.judgements(0)[0].verdict is Verdict.UNDETERMINED


@pytest.mark.parametrize("level", [0, 17, RAILS[1]])
def test_a_constant_channel_is_undetermined_never_none(level: int) -> None:
    recording = draw(0, after_s=60)
    flat = np.full_like(recording.counts(), level)
    assert judge(recording, counts=flat).verdict is Verdict.UNDETERMINED


def test_a_channel_that_goes_flat_after_the_train_is_undetermined() -> None:
    recording = draw(0, after_s=60)
    recording.uv[recording.span(0.5, 60)] = 12.0
    assert judge(recording).verdict is Verdict.UNDETERMINED


def test_a_discharge_that_runs_to_the_end_of_the_signal_is_truncated() -> None:
    recording = draw(1, after_s=20)
    recording.units(regular(4, 1, 25), 6)
    (event,) = judge(recording).afterdischarges
    assert event.end_grade is EndGrade.TRUNCATED
    assert recording.seconds_after(event.end_sample) == pytest.approx(20, abs=0.5)


def test_a_signal_that_ends_before_the_onset_window_is_undetermined() -> None:
    judgement = judge(draw(1, after_s=12))
    assert judgement.verdict is Verdict.UNDETERMINED
    assert "recording ends 12.0 s after the train" in judgement.reason


def test_a_discharge_after_the_onset_window_is_none() -> None:
    recording = draw(2, after_s=80)
    recording.units(regular(4, 36, 50), 6)
    assert judge(recording).verdict is Verdict.NONE


def test_not_a_number_in_float_samples_is_a_lost_sample() -> None:
    recording = draw(3, after_s=60)
    recording.units(regular(4, 1, 15), 6)
    floats = recording.counts().astype(np.float64)
    floats[:, recording.span(6, 7)] = np.nan
    judgement = judge(recording, counts=floats)
    assert judgement.verdict is Verdict.AFTERDISCHARGE
    assert len(judgement.afterdischarges) == 1
    assert onset_s(recording, judgement.afterdischarges[0]) == pytest.approx(1, abs=0.25)


def test_integers_and_floats_give_the_same_events() -> None:
    recording = draw(4, after_s=60)
    recording.units(regular(4, 1, 15), 6)
    counts = recording.counts()
    assert repr(judge(recording, counts=counts)) == repr(judge(recording, counts=counts.astype(np.float64)))


def test_an_offset_of_20000_counts_at_10_khz_changes_nothing() -> None:
    recording = draw(5, rate_hz=10_000.0, after_s=40)
    recording.units(regular(4, 1, 15), 4)
    counts = recording.counts()
    counts[:, recording.stimulus.onset_sample : recording.stimulus.end_sample] = 0
    plain, shifted = judge(recording, counts=counts), judge(recording, counts=counts + np.int16(20_000))
    for before, after in zip(plain.afterdischarges, shifted.afterdischarges, strict=True):
        assert abs(before.onset_sample - after.onset_sample) <= 20
        assert after.median_ratio == pytest.approx(before.median_ratio, rel=0.01)
    assert shifted.baseline_uv == pytest.approx(plain.baseline_uv, rel=0.001)


def test_spikes_that_touch_the_rail_are_still_spikes() -> None:
    recording = draw(6, after_s=60)
    recording.units(regular(3, 1, 20), 45)
    judgement = judge(recording)
    assert judgement.verdict is Verdict.AFTERDISCHARGE
    assert recording.seconds_after(judgement.afterdischarges[0].end_sample) == pytest.approx(20, abs=0.25)


def test_the_end_is_final_once_the_windows_are_over_and_the_live_view_follows() -> None:
    criterion = Criterion(secondary_window_s=10)
    recording = draw(7, after_s=60)
    recording.units(regular(4, 1, 12), 6)
    counts, stimulus = recording.counts(), recording.stimulus
    live = detector(criterion=criterion)
    live.stimulus_begins(stimulus.onset_sample)
    live.stimulus_ends(stimulus.end_sample)
    live.push(counts[:, : recording.at(5)])
    going_on = live.live(0)
    assert going_on.in_discharge
    assert going_on.onset_sample is not None
    assert recording.seconds_after(going_on.onset_sample) == pytest.approx(1, abs=0.1)
    assert going_on.spike_hz == pytest.approx(4, abs=0.5)
    assert live.judgements(0)[0].verdict is Verdict.AFTERDISCHARGE
    assert not live.judgements(0)[0].final
    live.push(counts[:, recording.at(5) : recording.at(21)])
    assert not live.judgements(0)[0].final
    live.push(counts[:, recording.at(21) : recording.at(23)])
    assert live.judgements(0)[0].final
    assert not live.live(0).in_discharge


def test_nothing_is_said_to_be_none_before_the_onset_window_is_over() -> None:
    recording = draw(8, after_s=60)
    counts = recording.counts()
    live = detector()
    live.stimulus_begins(recording.stimulus.onset_sample)
    live.stimulus_ends(recording.stimulus.end_sample)
    live.push(counts[:, : recording.at(29)])
    (early,) = live.judgements(0)
    assert (early.verdict, early.final) == (Verdict.UNDETERMINED, False)
    live.push(counts[:, recording.at(29) : recording.at(34)])
    (late,) = live.judgements(0)
    assert (late.verdict, late.final) == (Verdict.NONE, True)


def test_each_train_of_a_series_is_judged_by_itself() -> None:
    first, second = draw(9, after_s=45), draw(10, after_s=100)
    second.units(regular(4, 1, 12), 6)
    counts = np.concatenate([first.counts(), second.counts()[:, 30_000:]], axis=1)
    shift = first.uv.size - 30_000
    both = detector()
    for onset, end in (
        (first.stimulus.onset_sample, first.stimulus.end_sample),
        (second.stimulus.onset_sample + shift, second.stimulus.end_sample + shift),
    ):
        both.stimulus_begins(onset)
        both.stimulus_ends(end)
    both.push(counts)
    both.finish()
    assert [j.verdict for j in both.judgements(0)] == [Verdict.NONE, Verdict.AFTERDISCHARGE]
    assert all(j.final for j in both.judgements(0))


def test_memory_does_not_grow_with_a_discharge() -> None:
    recording = draw(11, after_s=400)
    recording.units(regular(5, 1, 399), 6)
    counts = recording.counts()
    status = detector()
    status.stimulus_begins(recording.stimulus.onset_sample)
    status.stimulus_ends(recording.stimulus.end_sample)
    status.push(counts[:, : recording.at(250)])
    early = len(pickle.dumps(status))
    status.push(counts[:, recording.at(250) :])
    assert len(pickle.dumps(status)) < early + 400
