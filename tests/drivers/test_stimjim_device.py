"""The emulated StimJim says and puts out what the real firmware was seen to say and put out."""

from pathlib import Path

import pytest
from stimjim_transcript import Player, banner, exchanges
from stimulator_bench import phases_of

from drivers.simulated.faults import Faults
from drivers.simulated.stimjim_device import Firmware, StimJimDevice

TRANSCRIPT = Path(__file__).parents[3] / "shared" / "reference" / "stimjim_transcript.txt"
NEEDS_SHARED = pytest.mark.skipif(not TRANSCRIPT.exists(), reason="needs ../shared")

KINDLING = b"S0,1,3,16667,991687;100,0,1000;-100,0,1000;\n"

KINDLING_ECHO = (
    b"----------------------------------\r\nParameters for PulseTrain[0]\r\n  mode[ch0]: 1 (Current output)\r\n"
    b"  mode[ch1]: 3 (No output (grounded))\r\n  period:    16667 usec (0.017 sec, 59.999 Hz)\r\n"
    b"  duration:  991687 usec (0.992 sec)\r\n\r\n  stage    duration     output0   output1\r\n"
    b"    0     1000 usec      100uA        0uA\r\n    1     1000 usec     -100uA        0uA\r\n"
    b"----------------------------------\r\n\r\n"
)

KINDLING_SUMMARY = (
    b"Train complete. Delivered 60 pulses.\r\nCurrent/Voltage by stage: \r\n           Ch0                Ch1 \r\n"
    b"Stage 0   100uA,               0uA,          \r\nStage 1  -100uA,               0uA,          \r\n"
)

STARTED = b"\r\nStarted T train with parameters of PulseTrain 0\r\n"


@NEEDS_SHARED
def test_a_dialogue_with_the_real_firmware_is_repeated_byte_for_byte() -> None:
    player = Player(StimJimDevice())
    written = exchanges(TRANSCRIPT.read_text())
    assert len(written) > 30
    for exchange in written:
        player.play(exchange)
    for exchange, heard in zip(written, player.heard(), strict=True):
        assert heard.answered == exchange.answered, exchange.said
        if exchange.output is not None:
            _, n_positive, n_negative, peak_ua = exchange.output
            assert (heard.n_positive, heard.n_negative) == (n_positive, n_negative), exchange.said
            assert heard.peak_ua == pytest.approx(peak_ua, abs=0.05), exchange.said


@NEEDS_SHARED
def test_it_boots_with_the_banner_of_the_real_one() -> None:
    device = StimJimDevice()
    device.lose_power(0)
    device.regain_power(10)
    assert device.poll(20) == banner(TRANSCRIPT.read_text())


def test_a_kindling_train_is_echoed_played_and_summarised() -> None:
    device = StimJimDevice()
    assert device.feed(KINDLING, 0) == KINDLING_ECHO
    assert device.feed(b"T0\n", 1000) == STARTED
    found = phases_of(device)(0, 2_000_000)
    assert len(found) == 120
    assert found[:2] == [(1000, pytest.approx(99.97, abs=0.01), 1000), (2000, pytest.approx(-99.97, abs=0.01), 1000)]
    assert device.poll(2_000_000) == KINDLING_SUMMARY


def test_the_marker_is_high_from_the_start_to_the_end_of_a_train() -> None:
    device = StimJimDevice()
    device.feed(KINDLING + b"T0\n", 5000)
    marker = device.marker(0, 3_000_000)
    assert marker.times_us.tolist() == [0, 5000, 5000 + 60 * 16667]
    assert marker.volts.tolist() == [0.0, 3.3, 0.0]


def test_a_stop_lets_the_pulse_in_progress_be_completed() -> None:
    device = StimJimDevice()
    device.feed(KINDLING + b"T0\n", 0)
    device.poll(500)
    assert device.feed(b"T-1\n", 500) == b"Forcing T train to stop\r\n"
    assert [(start, end) for start, _, end in phases_of(device)(0, 2_000_000)] == [(0, 1000), (1000, 1000)]
    assert device.poll(2_000_000) == b""


def test_without_power_the_current_is_off_in_the_middle_of_a_phase() -> None:
    device = StimJimDevice()
    device.feed(KINDLING + b"T0\n", 0)
    device.lose_power(16_667 * 3 + 400)
    found = phases_of(device)(0, 3_000_000)
    assert found[-1] == (50_001, pytest.approx(99.97, abs=0.01), 400)
    assert device.marker(0, 3_000_000).volts[-1] == 0.0
    assert device.feed(b"D\n", 3_000_000) == b""
    device.regain_power(4_000_000)
    assert device.poll(4_000_000).startswith(b"Booting StimJim")
    device.feed(b"T0\n", 4_000_000)
    assert phases_of(device)(3_000_000, 6_000_000) == []


def test_a_stage_that_is_too_short_never_ends() -> None:
    device = StimJimDevice()
    device.feed(b"S0,1,3,20000,990000;100,0,10;-100,0,10;\nT0\n", 0)
    assert phases_of(device)(0, 60_000_000) == [(0, pytest.approx(99.97, abs=0.01), 60_000_000)]
    assert device.feed(b"T-1\n", 60_000_000) == b""


def test_more_stages_than_it_has_room_for_are_the_end_of_it() -> None:
    device = StimJimDevice()
    assert device.feed(b"S0,1,3,20000,990000;" + b"1,0,100;" * 10 + b"\n", 0) != b""
    assert device.feed(b"S0,1,3,20000,990000;" + b"1,0,100;" * 11 + b"\n", 0) == b""
    assert device.feed(b"D\n", 0) == b""


def test_a_line_without_an_end_overwrites_its_memory() -> None:
    device = StimJimDevice()
    device.feed(b"x" * 1001, 0)
    assert device.feed(b"\nD\n", 0) == b""


def test_an_input_that_a_train_is_attached_to_starts_it() -> None:
    device = StimJimDevice()
    device.feed(KINDLING, 0)
    assert device.feed(b"R0,0\n", 0) == b"Attaching interrupt to IN0 to run PulseTrain[0]\r\n"
    device.line(0, True, 1000)
    assert len(phases_of(device)(0, 3_000_000)) == 120
    device.feed(b"R0,-1\n", 3_000_000)
    device.line(0, False, 3_000_000)
    device.line(0, True, 3_100_000)
    assert phases_of(device)(3_000_000, 6_000_000) == []


def test_channel_1_has_its_own_output_and_marker() -> None:
    device = StimJimDevice(channel=1)
    device.feed(b"S0,3,1,20000,990000;0,100,500;0,-100,500;\nT0\n", 0)
    assert len(phases_of(device)(0, 3_000_000)) == 100
    assert device.marker(0, 3_000_000).volts.tolist() == [3.3, 0.0]


@pytest.mark.parametrize(
    ("firmware", "line", "answer"),
    [
        (Firmware.WITHOUT_STOP, b"T-1\n", b"Invalid PulseTrain index.\r\n"),
        (Firmware.WITHOUT_SYNC, b"T-1\n", b"Forcing T train to stop\r\n"),
        (Firmware.WITHOUT_SYNC, b"R0,-1\n", b"Detaching interrupt to IN0\r\n"),
    ],
)
def test_older_firmware_answers_otherwise(firmware: Firmware, line: bytes, answer: bytes) -> None:
    assert StimJimDevice(firmware).feed(line, 0) == answer


def test_faults_are_of_the_line_not_of_the_device() -> None:
    device = StimJimDevice()
    device.inject(Faults(silent=True))
    assert device.feed(KINDLING + b"T0\n", 0) == b""
    assert len(phases_of(device)(0, 3_000_000)) == 120
    device.inject(Faults(late_us=5000))
    assert device.feed(b"T-1\n", 3_000_000) == b""
    assert device.poll(3_005_000) == b"Forcing T train to stop\r\n"


def test_every_line_is_kept_with_its_time() -> None:
    device = StimJimDevice()
    device.feed(b"D", 10)
    device.feed(b"\r\nX\n", 20)
    assert [(entry.time_us, entry.line) for entry in device.log] == [(20, "D"), (20, "X")]
