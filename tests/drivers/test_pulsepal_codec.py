"""Byte for byte: vectors of an independent client and of firmware that played them, quoted or from ../shared."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.pulsepal_codec import (
    ChannelProgramme,
    Parameter,
    Programme,
    decode_programme,
    encode_emergency_stop,
    encode_loop_off,
    encode_parameter,
    encode_programme,
    encode_trigger,
    encode_version_reply,
    encode_zero_amplitude,
    parse_version_reply,
)
from drivers.simulated.pulsepal_device import PulsePalDevice
from drivers.simulated.pulsepal_memory import FACTORY
from drivers.simulated.pulsepal_messages import (
    ClientName,
    Disconnect,
    Display,
    FixedVoltage,
    Handshake,
    Loop,
    ReadSettings,
    SetCustomTrain,
    SetParameter,
    SetProgramme,
    SettingsFile,
    Trigger,
    decode,
    encode_settings,
    length_so_far,
)

SHARED = Path(__file__).parents[3] / "shared"
VECTORS = json.loads((SHARED / "reference/pulsepal_vectors.json").read_text()) if SHARED.exists() else {}
needs_shared = pytest.mark.skipif(not VECTORS, reason="needs ../shared")

JSON_NAMES = {
    "phase1Duration": "phase1_cycles",
    "interPhaseInterval": "interphase_cycles",
    "phase2Duration": "phase2_cycles",
    "interPulseInterval": "interpulse_cycles",
    "burstDuration": "burst_cycles",
    "interBurstInterval": "interburst_cycles",
    "pulseTrainDuration": "train_cycles",
    "pulseTrainDelay": "delay_cycles",
    "phase1Voltage": "phase1_code",
    "phase2Voltage": "phase2_code",
    "restingVoltage": "resting_code",
    "isBiphasic": "biphasic",
    "customTrainID": "custom_train",
    "customTrainTarget": "custom_target",
    "customTrainLoop": "custom_loop",
    "linkTriggerChannel1": "link1",
    "linkTriggerChannel2": "link2",
}

# 60 pulses of +-0.2 V, 1 ms + 1 ms, every 333 cycles: real firmware delivered 60 whole pulses from these bytes.
KINDLING = ChannelProgramme(
    interpulse_cycles=293, train_cycles=60 * 333, phase1_code=0x8000 + 655, phase2_code=0x8000 - 655
)
KINDLING_HEX = (
    "d549"
    "1400000000000000140000002501000000000000000000000c4e000000000000"
    "140000000000000014000000680100000000000000000000204e000000000000"
    "140000000000000014000000680100000000000000000000204e000000000000"
    "140000000000000014000000680100000000000000000000204e000000000000"
    "8f82717d0080" "008000800080" "008000800080" "008000800080"
    "01000000" "01000000" "01000000" "01000000"
    "00000000" "00000000" "0000"
)  # fmt: skip


def test_the_kindling_programme_is_the_message_that_firmware_accepted() -> None:
    programme = Programme((KINDLING, *Programme().channels[1:]))
    assert encode_programme(programme).hex() == KINDLING_HEX
    assert decode_programme(bytes.fromhex(KINDLING_HEX)) == programme


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (encode_parameter(Parameter.BIPHASIC, 1, 1), "d54a010101"),
        (encode_parameter(Parameter.PHASE1_CODE, 1, 34406), "d54a02016686"),
        (encode_parameter(Parameter.PHASE2_CODE, 1, 31130), "d54a03019a79"),
        (encode_parameter(Parameter.INTERPULSE_CYCLES, 1, 360), "d54a070168010000"),
        (encode_parameter(Parameter.TRAIN_CYCLES, 3, 40000), "d54a0a03409c0000"),
        (encode_parameter(Parameter.RESTING_CODE, 1, 32768), "d54a11010080"),
        (encode_parameter(Parameter.TRIGGER_MODE, 2, 1), "d54a800201"),
        (encode_trigger([1]), "d54d01"),
        (encode_trigger([3, 1]), "d54d05"),
        (encode_loop_off(1), "d5520100"),
        (encode_zero_amplitude(1), "d54a02010080d54a03010080"),
        (encode_emergency_stop([1]), "d550d550d54a02010080d54a03010080d548"),
        (encode_version_reply(21), "4b15000000"),
    ],
)
def test_messages_are_those_of_the_independent_client(message: bytes, expected: str) -> None:
    assert message.hex() == expected


@pytest.mark.parametrize("channel", [0, 5, -1])
def test_a_channel_that_the_device_would_not_check_is_refused(channel: int) -> None:
    for encode in (encode_loop_off, encode_zero_amplitude, lambda n: encode_trigger([n])):
        with pytest.raises(ValueError, match="channels 1 to 4"):
            encode(channel)


def test_the_version_is_read_from_exactly_five_bytes() -> None:
    assert parse_version_reply(bytes.fromhex("4b15000000")) == 21
    for reply in ("", "4b150000", "4b1500000000", "0115000000"):
        with pytest.raises(ValueError, match="expected 4b"):
            parse_version_reply(bytes.fromhex(reply))


CHANNELS = st.builds(
    ChannelProgramme,
    *[st.integers(0, 2**32 - 1)] * 8,
    *[st.integers(0, 2**16 - 1)] * 3,
    *[st.integers(0, 255)] * 6,
)


@given(st.tuples(CHANNELS, CHANNELS, CHANNELS, CHANNELS), st.tuples(st.integers(0, 255), st.integers(0, 255)))
def test_a_programme_survives_the_wire(channels: tuple[ChannelProgramme, ...], modes: tuple[int, int]) -> None:
    programme = Programme(channels, modes)
    message = encode_programme(programme)
    assert len(message) == length_so_far(message) == 180
    assert decode_programme(message) == programme


def test_the_emulated_settings_file_is_the_factory_programme_of_real_firmware() -> None:
    channel = "020000000200000002000000140000000000000000000000204e0000000000000000c000400080000000"
    assert encode_settings(FACTORY).hex() == channel * 4 + "0001010101" + "0000000000"


def _single_messages() -> list[dict]:
    return VECTORS["client_messages"]["firmware_21"] if VECTORS else []


@needs_shared
@pytest.mark.parametrize("vector", _single_messages(), ids=lambda vector: vector["request"])
def test_the_emulator_understands_and_answers_every_message_of_the_client(vector: dict) -> None:
    message = bytes.fromhex(vector["hex"])
    assert length_so_far(message) == len(message)
    assert PulsePalDevice().feed(message, 0).hex() == vector["reply"]
    match decode(message):
        case SetParameter(parameter, channel, value):
            said = vector["decoded"]
            assert (parameter, channel, value) == (said["code"], said["channel"], said["value"])
            expected = JSON_NAMES.get(said["parameter"], "trigger_mode")
            assert parameter.name.lower() == expected
            assert encode_parameter(parameter, channel, value) == message
        case FixedVoltage(channel, code):
            assert (vector["request"], channel, code) == ("fixed voltage 0 V on channel 1", 1, 0x8000)
        case Loop(channel, on):
            assert (vector["request"], channel, on) == ("continuous mode off, channel 1", 1, False)
            assert encode_loop_off(channel) == message
        case Trigger(channels):
            assert channels == ((1, 2, 3, 4) if "all" in vector["request"] else (1, 3))
            assert encode_trigger(channels) == message
        case SetCustomTrain(1, times, codes):
            assert (times, codes) == ((0, 400, 800), (0x8CCD, 0x9999, 0x7333))
        case SetCustomTrain(2, times, codes):
            assert (times, codes) == ((0, 200), (0x8666, 0x799A))
        case SettingsFile(action, name):
            assert (action, name) == (1, "default.pps")
        case other:
            assert (type(other) is ReadSettings) == (vector["request"] == "read settings file")


@needs_shared
@pytest.mark.parametrize("name", ["fw21_50Hz", "fw21_60Hz", "fw21_50Hz_0V2"])
def test_the_emulator_reads_whole_conversations_of_the_client(name: str) -> None:
    stream = next(stream for stream in VECTORS["client_streams"] if stream["id"] == name)
    device = PulsePalDevice()
    for n, write in enumerate(stream["writes"]):
        assert device.feed(bytes.fromhex(write["hex"]), 20_000 * n).hex() == write["reply"]
    said = stream["writes"][3]["decoded"]
    channels = tuple(
        ChannelProgramme(**{JSON_NAMES[key]: value for key, value in channel.items()}) for channel in said["channels"]
    )
    programme = Programme(channels, tuple(said["triggerModes"]))
    assert encode_programme(programme).hex() == stream["writes"][3]["hex"]
    decoded = [entry.decoded for entry in device.log]
    assert decoded[:5] == [
        Handshake(), ClientName("PYTHON"), Display("PulsePal"), SetProgramme(programme), Trigger((1,))
    ]  # fmt: skip
    assert decoded[-1] == Disconnect()


@needs_shared
def test_our_messages_are_those_that_real_firmware_played() -> None:
    own = VECTORS["own_messages"]
    assert own["kindling_60Hz_60_pulses_one_message"]["write"] == KINDLING_HEX
    assert own["emergency_stop_channel_1"]["write"] == encode_emergency_stop([1]).hex()
    assert own["loop_off_and_stop_channel_1"]["write"] == encode_loop_off(1).hex()
    assert own["fire_channel_1_with_barrier"]["write"] == encode_trigger([1]).hex() + "d548"
