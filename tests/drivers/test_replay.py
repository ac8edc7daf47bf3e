"""A recording played back: its trains answer the triggers, and nothing passes for a train that was not recorded."""

import numpy as np
import pytest

from drivers.interface import Abort, Channel, DeviceRefused, PulseTrain, SamplesLost, SourceEnded, Stimulator
from drivers.replay import RecordedTrain, ReplaySource, ReplayStimulator

RATE_HZ = 1000.0
CHANNELS = (
    Channel("EEG", "eeg", "µV", 0.1),
    Channel("TTL", "stimulus_ttl", "V", 0.001),
    Channel("Current", "current_monitor", "µA", 0.1),
)
TRAINS = ((12_000, 50.0), (42_000, 60.0))


def source() -> ReplaySource:
    counts = np.zeros((3, 60_000), np.int16)
    counts[0] = np.arange(60_000) % 1000
    for onset, current_ua in TRAINS:
        counts[1, onset : onset + 1000] = 5000
        counts[2, onset : onset + 1000 : 20] = round(current_ua / 0.1)
        counts[2, onset + 1 : onset + 1000 : 20] = -round(current_ua / 0.1)
    return ReplaySource("a recording", CHANNELS, RATE_HZ, counts)


def train(current_ua: float) -> PulseTrain:
    return PulseTrain(current_ua, 1000, 0, 50, 1)


def test_it_is_a_stimulator() -> None:
    assert isinstance(ReplayStimulator(source()), Stimulator)


def test_the_recorded_trains_are_found_on_the_ttl_with_their_current() -> None:
    found = source().trains()
    assert found == tuple(
        RecordedTrain(onset, onset + 1000, pytest.approx(current_ua, abs=0.1)) for onset, current_ua in TRAINS
    )


def test_without_a_ttl_there_are_no_trains() -> None:
    assert ReplaySource("a recording", CHANNELS[:1], RATE_HZ, np.zeros((1, 100), np.int16)).trains() == ()


def test_a_trigger_at_the_moment_of_the_recorded_one_moves_nothing() -> None:
    played = source()
    stimulator = ReplayStimulator(played)
    played.read(11_990)
    stimulator.prepare(train(50.0))
    stimulator.fire()
    assert played.position == 11_990
    assert stimulator.jumps == 0


@pytest.mark.parametrize("position", [5_000, 20_000])
def test_a_trigger_at_another_moment_jumps_to_just_before_the_train(position: int) -> None:
    played = source()
    stimulator = ReplayStimulator(played)
    played.read(position)
    stimulator.prepare(train(50.0))
    stimulator.fire()
    assert played.position == 12_000 - 100
    assert stimulator.jumps == 1
    assert played.read(101)[1, -1] == 5000


def test_a_train_of_another_current_is_refused_with_both_numbers() -> None:
    with pytest.raises(DeviceRefused, match=r"train 1 .* carried 50 uA; the protocol asks 75 uA"):
        ReplayStimulator(source()).prepare(train(75.0))


def test_more_trains_than_were_recorded_are_refused() -> None:
    stimulator = ReplayStimulator(source())
    for current_ua in (50.0, 60.0):
        stimulator.prepare(train(current_ua))
        stimulator.fire()
    with pytest.raises(DeviceRefused, match="holds 2 trains"):
        stimulator.prepare(train(72.0))


def test_each_shot_needs_its_own_prepare() -> None:
    stimulator = ReplayStimulator(source())
    with pytest.raises(DeviceRefused):
        stimulator.fire()
    stimulator.prepare(train(50.0))
    assert stimulator.abort() is Abort.CONFIRMED
    with pytest.raises(DeviceRefused):
        stimulator.fire()


def test_the_end_of_the_recording_is_said_and_takes_nothing_with_it() -> None:
    played = source()
    played.read(59_990)
    with pytest.raises(SourceEnded, match="ends 10 samples from here"):
        played.read(11)
    assert played.read(10).shape == (3, 10)


def gapped() -> ReplaySource:
    counts = np.arange(1000, dtype=np.int16)[None]
    return ReplaySource("a recording", CHANNELS[:1], RATE_HZ, counts, gaps=(300, 700))


@pytest.mark.parametrize("size", [1, 7, 100, 300, 999])
def test_a_gap_is_lost_again_just_where_it_was_lost(size: int) -> None:
    played, seen, gaps = gapped(), [], []
    while played.remaining:
        try:
            block = played.read(min(size, played.remaining))
        except SamplesLost as lost:
            block = np.empty((1, 0), np.int16) if lost.partial is None else lost.partial
            gaps.append(len(seen) + block.shape[1])
        seen += block[0].tolist()
    assert seen == list(range(1000))
    assert gaps == [300, 700]


def test_gaps_are_lost_anew_from_the_beginning_and_not_when_they_are_passed_over() -> None:
    played = gapped()
    played.seek(500)
    assert played.read(200).shape == (1, 200)
    played.start()
    with pytest.raises(SamplesLost, match="gap before sample 300"):
        played.read(301)


def test_samples_lost_before_the_first_and_twice_at_one_place_are_lost_again() -> None:
    played = ReplaySource("a recording", CHANNELS[:1], RATE_HZ, np.zeros((1, 100), np.int16), gaps=(0, 40, 40))
    played.start()
    for size, n_before in ((50, 0), (50, 40), (50, 0)):
        with pytest.raises(SamplesLost) as lost:
            played.read(size)
        assert lost.value.partial is not None
        assert lost.value.partial.shape == (1, n_before)
    played.reopen()
    assert played.read(60).shape == (1, 60)


def test_a_trigger_that_nothing_recorded_answered_takes_no_train_of_a_later_one() -> None:
    played = source()
    stimulator = ReplayStimulator(played, unseen=[0])
    stimulator.prepare(train(75.0))
    stimulator.fire()
    assert played.position == 0
    stimulator.prepare(train(50.0))
    stimulator.fire()
    assert played.position == 12_000 - 100
