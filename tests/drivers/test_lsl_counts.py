"""Label, unit and resolution of a channel: what follows from the stream's description, and what is refused."""

import numpy as np
import pytest

from drivers.interface import DeviceRefused
from drivers.lsl_counts import Described, LslInput, Picked, counts_of, pick


def picked(wanted: LslInput, stated: Described, *, sends_counts: bool = False) -> Picked:
    return pick(wanted, (Described("other"), stated), sends_counts=sends_counts, where="LSL stream 'x'")


def eeg(resolution: float | None = 0.5, stream_unit: str = "", clips_at: float | None = None) -> LslInput:
    return LslInput("A1", "Amygdala", "eeg", "µV", resolution, stream_unit, clips_at)


@pytest.mark.parametrize(
    ("spelled", "value_of_1_mv"),
    [("microvolts", 1000.0), ("uV", 1000.0), ("\u00b5V", 1000.0), ("\u03bcV", 1000.0), ("mV", 1.0), ("Volts", 1e-3)],
)
def test_a_voltage_is_recorded_in_the_rig_files_unit_however_the_stream_spells_its_own(
    spelled: str, value_of_1_mv: float
) -> None:
    one = picked(eeg(), Described("A1", spelled))
    assert one.row == 1
    sent = np.array([[0.0, value_of_1_mv]])
    assert counts_of(sent, (one,))[0, 0] * one.channel.resolution == pytest.approx(1000.0)


def test_a_stream_without_units_takes_the_rig_files_word() -> None:
    one = picked(eeg(stream_unit="mV"), Described("A1"))
    assert counts_of(np.array([[0.0, 2.0]]), (one,))[0, 0] == 4000


def test_a_trigger_channel_needs_no_unit() -> None:
    one = picked(LslInput("Trig", "TTL", "stimulus_ttl", "", 1.0), Described("Trig"))
    assert counts_of(np.array([[0.0, 1.0], [0.0, 255.0]]), (one,)).tolist() == [[1, 255]]


def test_where_the_amplifier_clips_the_counts_are_at_their_rails() -> None:
    assert picked(eeg(clips_at=3000.0), Described("A1", "uV")).channel.rail_counts == (-6000, 6000)
    assert picked(eeg(clips_at=1e6), Described("A1", "uV")).channel.rail_counts == (-32767, 32767)


@pytest.mark.parametrize(
    ("wanted", "stated", "sends_counts", "told"),
    [
        (eeg(), Described("A1"), False, "states no unit for 'A1'"),
        (eeg(stream_unit="mV"), Described("A1", "uV"), False, "states 'uV' for 'A1', the rig file 'mV'"),
        (eeg(), Described("A1", "mA"), False, "'A1' is in 'mA', which 'µV' of Amygdala cannot be had from"),
        (eeg(None), Described("A1", "uV"), False, "sends fractions: give Amygdala a resolution"),
        (eeg(), Described("A1", "uV", 0.1), False, "states a scaling factor of 0.1"),
        (eeg(None), Described("A1", "uV"), True, "does not say what one is"),
        (eeg(0.5), Described("A1", "uV", 0.1), True, "one count of 'A1' is 0.1 µV, the rig file 0.5"),
        (eeg(), Described("B1", "uV"), False, "no channel with the label 'A1' for Amygdala; it has 'other', 'B1'"),
    ],
)
def test_a_doubt_is_refused(wanted: LslInput, stated: Described, sends_counts: bool, told: str) -> None:
    with pytest.raises(DeviceRefused, match=told):
        picked(wanted, stated, sends_counts=sends_counts)


def test_counts_have_the_step_that_either_side_states() -> None:
    assert picked(eeg(None), Described("A1", "mV", 1e-4), sends_counts=True).channel.resolution == pytest.approx(0.1)
    assert picked(eeg(0.25), Described("A1", "uV"), sends_counts=True).channel.resolution == 0.25
