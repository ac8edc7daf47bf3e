"""Behaviour of firmware 2.0.1 that decides about charge, measured on it and quoted by value; times in microseconds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pulsepal_bench import OutputPhase, count_phases, phases

from drivers.simulated.faults import Faults
from drivers.simulated.pulsepal_device import PulsePalDevice

T0_US = 100_000
CYCLE_US = 50
P50 = (
    "d54a010101 d54a020166a6 d54a03019a59 d54a040114000000 d54a050100000000 d54a060114000000 d54a070168010000 "
    "d54a080100000000 d54a090100000000 d54a0a01204e0000 d54a0b0100000000 d54a0c0100 d54a0d0100 d54a0e0100 d54a0f0100 "
    "d54a100100 d54a11010080"
)
"""50 Hz for 1 s, +-3 V, 1 ms + 1 ms, unlinked."""
STOP = "d550d550d54a02010080d54a03010080d548"
STOPPED = "01014b15000000"


@pytest.fixture
def device() -> PulsePalDevice:
    device = PulsePalDevice()
    _programme(device, P50)
    return device


def _programme(device: PulsePalDevice, messages: str) -> None:
    for message in messages.split():
        assert device.feed(bytes.fromhex(message), 0) == b"\x01"


def _feed(device: PulsePalDevice, after_t0_us: int, message: str) -> str:
    return device.feed(bytes.fromhex(message), T0_US + after_t0_us).hex()


def _count(device: PulsePalDevice, until_us: int = 5_000_000) -> tuple[int, int]:
    return count_phases(device, 1, T0_US, T0_US + until_us)


def _last(device: PulsePalDevice, until_us: int = 5_000_000) -> OutputPhase:
    last = phases(device, 1, T0_US, T0_US + until_us)[-1]
    return OutputPhase(last.start_us - T0_US, last.offset_codes, last.duration_us)


def test_a_train_of_50_hz_is_whole(device: PulsePalDevice) -> None:
    assert _feed(device, 0, "d54d01d548") == "4b15000000"
    assert _count(device) == (50, 50)
    assert phases(device, 1, T0_US, 2 * T0_US)[0].start_us == pytest.approx(T0_US + 100, abs=CYCLE_US)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param("d54a070125010000", (61, 60), id="60 Hz for 1.000 s cuts the last pulse"),
        pytest.param("d54a070125010000 d54a0a010c4e0000", (60, 60), id="60 periods of 333 cycles are whole"),
        pytest.param("d54a070126010000", (60, 60), id="a period of 334 cycles is whole"),
        pytest.param("d54a070100000000", (500, 500), id="without a gap pulses come back to back"),
        pytest.param("d54a0a0100000000", (0, 0), id="a train of 0 is silent"),
        pytest.param("d54a0801d0070000 d54a0901d0070000", (25, 25), id="bursts of 100 ms every 200 ms"),
    ],
)
def test_the_number_of_phases_follows_the_remainder_rule(
    device: PulsePalDevice, changes: str, expected: tuple[int, int]
) -> None:
    _programme(device, changes)
    _feed(device, 0, "d54d01")
    assert _count(device) == expected


@pytest.mark.parametrize(
    ("change", "duration_us"),
    [("d54a040100000000", 1_000_000), ("d54a060100000000", 999_000)],
    ids=["phase 1", "phase 2"],
)
def test_a_phase_of_zero_is_direct_current(device: PulsePalDevice, change: str, duration_us: int) -> None:
    _programme(device, change)
    _feed(device, 0, "d54d01")
    assert _last(device).duration_us == duration_us


def test_a_second_trigger_is_kept_and_played_afterwards(device: PulsePalDevice) -> None:
    _feed(device, 0, "d54d01")
    _feed(device, 300_000, "d54d01")
    assert _count(device) == (100, 100)


def test_one_abort_lets_a_kept_trigger_start(device: PulsePalDevice) -> None:
    _feed(device, 0, "d54d01")
    _feed(device, 300_000, "d54d01")
    _feed(device, 500_500, "d550")
    assert _count(device) == (76, 75)


def test_the_emergency_stop_ends_a_kept_trigger_too(device: PulsePalDevice) -> None:
    _feed(device, 0, "d54d01")
    _feed(device, 300_000, "d54d01")
    assert _feed(device, 500_500, STOP) == STOPPED
    _feed(device, 900_000, "d54d01")
    assert _count(device) == (27, 25)
    assert _last(device).duration_us <= CYCLE_US


def test_the_programme_survives_an_abort(device: PulsePalDevice) -> None:
    _feed(device, 500_500, "d550")
    _feed(device, 900_000, "d54d01")
    assert _count(device) == (50, 50)


def test_half_a_message_freezes_the_output_until_a_click(device: PulsePalDevice) -> None:
    _feed(device, 0, "d54d01")
    assert _feed(device, 500_500, "d54a02") == ""
    assert device.poll(T0_US + 1_000_900) == b""
    assert device.poll(T0_US + 1_002_000) == b"\x01"
    assert device.waits_for_click
    assert _feed(device, 2_000_000, STOP) == ""
    assert _last(device).duration_us == pytest.approx(5_000_000 - 500_100, abs=CYCLE_US)
    device.click(T0_US + 5_000_000)
    assert device.output(1, T0_US + 5_000_001, T0_US + 5_000_002).volts[0] == 0


def test_a_lone_start_byte_is_direct_current_until_the_next_byte(device: PulsePalDevice) -> None:
    _feed(device, 0, "d54d01")
    _feed(device, 500_500, "d5")
    _feed(device, 700_000, "50")
    assert _last(device).duration_us == pytest.approx(199_900, abs=CYCLE_US)


def test_the_endless_mode_survives_an_abort_and_ends_with_its_own_message(device: PulsePalDevice) -> None:
    assert _feed(device, 0, "d5520101") == "01"
    _feed(device, 1_500_500, "d550")
    _feed(device, 1_900_000, "d54d01")
    assert _feed(device, 4_400_500, "d5520100") == "01"
    _feed(device, 5_000_000, "d54d01")
    assert _count(device, 8_000_000) == (76 + 126 + 50, 75 + 125 + 50)


def test_the_factory_programme_answers_an_edge_on_every_channel() -> None:
    device = PulsePalDevice()
    device.line(1, True, T0_US)
    device.line(1, False, T0_US + 1000)
    for channel in (1, 2, 3, 4):
        assert count_phases(device, channel, T0_US, T0_US + 3_000_000) == (910, 0)


def test_junk_is_dropped_and_what_follows_is_answered() -> None:
    device = PulsePalDevice()
    assert device.feed(b"\x48" * 60 + bytes.fromhex("d5c8d54a630105d548"), 0).hex() == "01" + "4b15000000"
    assert device.log[-1].time_us == pytest.approx(3_000 + 200, abs=2 * CYCLE_US)


def test_a_click_aborts_and_deafens_for_a_second(device: PulsePalDevice) -> None:
    _feed(device, 0, "d54d01")
    device.click(T0_US + 200_500)
    assert _feed(device, 300_000, "d548") == ""
    assert device.poll(T0_US + 1_100_000) == b""
    assert device.poll(T0_US + 1_300_000).hex() == "4b15000000"
    assert _count(device) == (11, 10)


@given(st.lists(st.integers(1, 40_000), min_size=1, max_size=20))
def test_the_output_does_not_depend_on_when_it_is_asked_for(waits_us: list[int]) -> None:
    asked_often, asked_once = PulsePalDevice(), PulsePalDevice()
    for device in (asked_often, asked_once):
        _programme(device, P50 + " d54a070125010000")
        _feed(device, 0, "d54d01")
    now_us = 0
    for wait_us in waits_us:
        before = asked_often.output(1, now_us, now_us + wait_us)
        now_us += wait_us
        assert before.times_us[0] == now_us - wait_us
    often, once = (phases(device, 1, 0, 2_000_000) for device in (asked_often, asked_once))
    assert often == once


def test_a_feed_from_the_past_is_served_from_the_devices_own_time(device: PulsePalDevice) -> None:
    device.poll(T0_US)
    assert device.feed(bytes.fromhex("d548"), T0_US - 5_000).hex() == "4b15000000"
    assert device.log[-1].time_us >= T0_US


def test_faults_can_be_switched_while_it_runs(device: PulsePalDevice) -> None:
    hello = bytes.fromhex("d548")
    device.inject(Faults(silent=True))
    assert device.feed(hello, 0) == b""
    device.inject(Faults(garbage=True))
    assert device.feed(hello, 0) == bytes(byte ^ 0x5A for byte in bytes.fromhex("4b15000000"))
    device.inject(Faults(late_us=2_000))
    assert device.feed(hello, T0_US) == b""
    assert device.poll(T0_US + 1_000) == b""
    device.inject(Faults())
    assert device.feed(hello, T0_US + 1_000).hex() == "4b15000000"
    assert device.poll(T0_US + 3_000).hex() == "4b15000000"
    device.inject(Faults(drop_after=1))
    assert device.feed(hello, 2 * T0_US) == b""
    device.poll(10 * T0_US)
    assert device.waits_for_click


def test_an_unplugged_device_plays_its_train_to_the_end(device: PulsePalDevice) -> None:
    _feed(device, 0, "d54d01")
    device.inject(Faults(unplugged=True))
    assert _feed(device, 100_000, STOP) == ""
    assert _count(device) == (50, 50)


@pytest.mark.parametrize("version", [5, 20, 22])
def test_it_claims_the_firmware_that_it_was_given(version: int) -> None:
    assert PulsePalDevice(version).feed(bytes.fromhex("d548"), 0) == b"\x4b" + bytes((version, 0, 0, 0))
