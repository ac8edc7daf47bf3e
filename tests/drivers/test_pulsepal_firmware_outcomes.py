"""The emulator against what firmware 2.0.1 put out, all measured outcomes, within one cycle."""

import json
from pathlib import Path

import pytest
from pulsepal_bench import count_phases, phases

from drivers.simulated.pulsepal_device import PulsePalDevice

SHARED = Path(__file__).parents[3] / "shared"
VECTORS = json.loads((SHARED / "reference/pulsepal_vectors.json").read_text()) if SHARED.exists() else {}
CYCLE_US = 50

needs_shared = pytest.mark.skipif(not VECTORS, reason="needs ../shared")


def _bytes(text: str) -> bytes:
    """The vectors name long messages instead of quoting them."""
    if text == "48 x 60, then d548":
        return b"\x48" * 60 + b"\xd5\x48"
    if text.startswith("client_streams "):
        name = text.split()[1].rstrip(",")
        return _client_stream_to_trigger(name)
    if text.startswith("own_messages "):
        return bytes.fromhex(VECTORS["own_messages"][text.split()[1]]["write"])
    return bytes.fromhex(text)


def _client_stream_to_trigger(name: str) -> bytes:
    stream = next(stream for stream in VECTORS["client_streams"] if stream["id"] == name)
    writes = [write["hex"] for write in stream["writes"]]
    return bytes.fromhex("".join(writes[: writes.index("d54d01") + 1]))


def _programme_messages(outcome: dict) -> list[bytes]:
    name = outcome.get("programme")
    if name is None:
        messages = []
    elif name in VECTORS["programmes"]:
        messages = [bytes.fromhex(message) for message in VECTORS["programmes"][name]]
    else:
        messages = [_bytes(name)]
    return messages + [bytes.fromhex(message) for message in outcome.get("also_written_before", [])]


def _play(outcome: dict) -> tuple[PulsePalDevice, int, list[tuple[float, bytes]], int]:
    """The device afterwards, t0, its replies with their time after t0 in ms, and the end of the observation."""
    device = PulsePalDevice()
    for n, message in enumerate(_programme_messages(outcome)):
        device.feed(message, 10_000 + 4_000 * n)
    t0_us = round(float(outcome["t0"].removesuffix(" ms")) * 1000)
    writes = [(round(ms * 1000), "write", text) for ms, text in outcome["writes_ms_hex"]]
    lines = [(round(ms * 1000), "line", what) for ms, what in outcome.get("line_events_ms", [])]
    replies: list[tuple[float, bytes]] = []
    for at_us, kind, what in sorted(writes + lines):
        now_us = t0_us + at_us
        if kind == "line" and what == "joystick click":
            device.click(now_us)
        elif kind == "line":
            device.line(int(what.split()[2]), what.split()[3] == "active", now_us)
        else:
            n_before = len(device.log)
            reply = device.feed(_bytes(what), now_us)
            if reply:
                replies.append(((device.log[n_before].time_us - t0_us) / 1000, reply))
    end_us = t0_us + 6_000_000
    stray = device.poll(end_us)
    if stray:
        replies.append(((device.log[-1].time_us - t0_us) / 1000, stray))
    return device, t0_us, replies, end_us


OUTCOMES = VECTORS.get("firmware_outcomes", [])


@needs_shared
@pytest.mark.parametrize("outcome", OUTCOMES, ids=[outcome["id"] for outcome in OUTCOMES])
def test_the_emulator_does_what_the_firmware_did(outcome: dict) -> None:
    device, t0_us, replies, end_us = _play(outcome)
    channel = outcome["channel"]

    assert count_phases(device, channel, t0_us, end_us) == (outcome["positive_phases"], outcome["negative_phases"])
    found = phases(device, channel, t0_us, end_us)
    expected = outcome["first_phases"] + outcome["last_phases"]
    for phase, (start_ms, offset, duration_us) in zip(found[:3] + found[-3:], expected, strict=True):
        assert abs(phase.start_us - t0_us - start_ms * 1000) <= CYCLE_US
        assert phase.offset_codes == offset
        if duration_us is None:
            assert phase.start_us + phase.duration_us == end_us
        else:
            assert abs(phase.duration_us - duration_us) <= CYCLE_US
    assert b"".join(reply for _, reply in replies).hex() == "".join(text for _, text in outcome["replies_ms_hex"])
    assert device.waits_for_click == outcome["end"].startswith("waiting for a joystick click")
    end_code = int(outcome["end"].split()[-1])
    assert device.output(channel, end_us - 1, end_us).volts[0] == pytest.approx((end_code - 32768) / 3276.8)


@needs_shared
@pytest.mark.parametrize("outcome", OUTCOMES, ids=[outcome["id"] for outcome in OUTCOMES])
def test_every_reply_comes_when_the_firmware_sent_it(outcome: dict) -> None:
    """A message answers with its last byte, so the log has the times of the replies."""
    device, t0_us, _, _ = _play(outcome)
    answered = {72, 73, 74, 75, 76, 79, 82}
    times_ms = [(entry.time_us - t0_us) / 1000 for entry in device.log if entry.opcode in answered]
    times_ms = [time_ms for time_ms in times_ms if time_ms >= 0]
    expected_ms = [time_ms for time_ms, _ in outcome["replies_ms_hex"]]
    assert times_ms == pytest.approx(expected_ms, abs=CYCLE_US / 1000)


@needs_shared
@pytest.mark.parametrize("outcome", OUTCOMES, ids=[outcome["id"] for outcome in OUTCOMES])
def test_the_net_charge_is_what_the_firmware_left(outcome: dict) -> None:
    device, t0_us, _, end_us = _play(outcome)
    nominal = {"ttl_factory": 16384, "kindling_17_writes": 655, "kindling_one_message": 655}.get(outcome["id"], 9830)
    ended = [phase for phase in phases(device, 1, t0_us, end_us) if phase.start_us + phase.duration_us < end_us]
    charge = sum(phase.offset_codes * phase.duration_us for phase in ended) / (nominal * 1000)
    n_cut = sum(phase.duration_us % 1000 != 0 for phase in ended) if outcome["id"] != "ttl_factory" else 0
    assert charge == pytest.approx(outcome["net_phase_charges"], abs=2e-3 + n_cut * CYCLE_US / 1000)
