"""The emulated 4100 answers as its vendor's examples do, and plays what its settings say."""

import pytest
from stimulator_bench import phases_of

from drivers.simulated.am4100_device import AM4100Device
from drivers.simulated.faults import Faults

KINDLING = (
    "s a stop", "s m 0 0 1", "s m 0 3 1", "s m 7 0 0", "s m 4 0 1", "s m 7 1 0", "s m 7 4 1", "s m 7 5 1", "s m 7 6 0",
    "s m 10 2 1", "s m 10 3 0", "s m 10 4 60", "s m 10 5 16667", "s m 10 6 1000", "s m 10 7 200", "s m 10 8 0",
    "s m 1 1 1", "s r close",
)  # fmt: skip
"""The vendor's example of settings, for 60 Hz, 1 s, 200 uA."""


def programmed(*changes: str, device: AM4100Device | None = None) -> AM4100Device:
    device = device or AM4100Device()
    for words in (*KINDLING, *changes):
        assert device.feed(f"1001 {words}\r".encode(), 0) == f"1001 {words}\r\r\n*\r\n".encode()
    return device


def tell(device: AM4100Device, words: str, now_us: int = 0) -> str:
    """The answer without its echo."""
    said = device.feed(f"{words}\r".encode(), now_us).decode()
    assert said.startswith(f"{words}\r\r\n")
    return said.removeprefix(f"{words}\r\r\n")


def test_the_vendors_examples_are_answered_byte_for_byte() -> None:
    device = AM4100Device("M1_F1")
    assert device.feed(b"g r\r", 0) == b"g r\r\r\nM1_F1\r\n*\r\n"
    assert AM4100Device().feed(b"1001 s m 10 2 2\r", 0) == b"1001 s m 10 2 2\r\r\n*\r\n"
    device.feed(b"s m 11 2 1\r", 0)
    assert device.feed(b"g m 11 2\r", 0) == b"g m 11 2\r\r\n1\r\n*\r\n"


def test_words_may_be_whole_shortened_and_parted_by_commas() -> None:
    device = AM4100Device()
    for words in ("get menu 10 6", "g m 10 6", "ge,men,10,6", "GET Menu 10 6"):
        assert tell(device, words) == "100\r\n*\r\n"


@pytest.mark.parametrize(
    "words",
    ["", "x", "g", "g x", "g m 3 1", "g m 10", "s a run", "9999 s a run", "1001 s a", "1001 s m 10 7", "1001 g r"],
)
def test_what_is_not_understood_or_not_allowed_has_no_end_mark(words: str) -> None:
    assert tell(AM4100Device(), words) == "?\r\n"


@pytest.mark.parametrize("words", ["s m 10 7 200000001", "s m 10 4 100000", "s m 0 0 6", "s m 10 7 1.5", "s m 55 1 1"])
def test_a_value_out_of_range_is_not_taken(words: str) -> None:
    assert tell(AM4100Device(), f"1001 {words}") == "?\r\n"


def test_a_triggered_train_is_played_once_and_marked() -> None:
    device = programmed()
    assert tell(device, "1001 s a run") == "*\r\n*\r\n"
    assert tell(device, "g a") == "Waiting for gate or Trigger\r\n*\r\n"
    assert tell(device, "1001 s t one", 1000) == "*\r\n"
    assert tell(device, "g a", 500_000) == "Generating pulses\r\n*\r\n"
    assert tell(device, "g c", 500_000) == "O@\r\n*\r\n"
    current = phases_of(device)(0, 5_000_000)
    assert len(current) == 120
    assert current[:3] == [(1000, 200.0, 1000), (2000, -200.0, 1000), (17_667, 200.0, 1000)]
    marker = device.marker(0, 5_000_000)
    assert marker.times_us.tolist() == [0, 1000, 1000 + 60 * 16_667]
    assert marker.volts.tolist() == [0.0, 5.0, 0.0]
    assert tell(device, "g a", 5_000_000) == "Waiting for gate or Trigger\r\n*\r\n"


def test_a_trigger_without_a_run_and_one_during_a_train_are_not_heard() -> None:
    device = programmed()
    tell(device, "1001 s t one")
    assert phases_of(device)(0, 3_000_000) == []
    tell(device, "1001 s a run", 3_000_000)
    tell(device, "1001 s t one", 3_000_000)
    tell(device, "1001 s t one", 3_500_000)
    assert len(phases_of(device)(3_000_000, 9_000_000)) == 120


def test_changed_values_take_effect_only_after_a_stop_and_a_run() -> None:
    device = programmed()
    tell(device, "1001 s a run")
    tell(device, "1001 s m 10 7 300")
    tell(device, "1001 s a run")
    tell(device, "1001 s t one")
    assert {abs(ua) for _, ua, _ in phases_of(device)(0, 3_000_000)} == {200.0}
    tell(device, "1001 s a stop", 3_000_000)
    tell(device, "1001 s a run", 3_000_000)
    tell(device, "1001 s t one", 3_000_000)
    assert {abs(ua) for _, ua, _ in phases_of(device)(3_000_000, 6_000_000)} == {300.0}


@pytest.mark.parametrize("words", ["1001 s a stop", "1001 s r open"])
def test_a_stop_and_an_open_relay_end_the_current_at_once(words: str) -> None:
    device = programmed()
    tell(device, "1001 s a run")
    tell(device, "1001 s t one")
    tell(device, words, 500_300)
    last = phases_of(device)(0, 3_000_000)[-1]
    assert last == (500_010, 200.0, 290)


def test_an_open_relay_lets_nothing_out() -> None:
    device = programmed("s r open")
    tell(device, "1001 s a run")
    tell(device, "1001 s t one")
    assert phases_of(device)(0, 3_000_000) == []
    assert tell(device, "g c") == "OD\r\n*\r\n"


def test_free_run_has_no_end_until_it_is_taken_back() -> None:
    device = programmed()
    tell(device, "1001 s t free")
    tell(device, "1001 s a run")
    assert len(phases_of(device)(0, 10_000_000)) > 1000
    tell(device, "1001 s t none", 10_000_000)
    assert len(phases_of(device)(10_000_000, 20_000_000)) <= 120


def test_other_events_have_their_own_shapes() -> None:
    device = programmed("s m 10 4 1", "s m 10 2 2", "s m 10 8 50", "s m 10 9 4000", "s m 10 10 -50")
    tell(device, "1001 s a run")
    tell(device, "1001 s t one")
    assert phases_of(device)(0, 3_000_000) == [(0, 200.0, 1000), (1050, -50.0, 4000)]


def test_the_current_is_limited_by_the_load() -> None:
    device = programmed("s m 10 7 1000", device=AM4100Device(load_kohm=1000.0))
    tell(device, "1001 s a run")
    tell(device, "1001 s t one")
    assert {abs(ua) for _, ua, _ in phases_of(device)(0, 3_000_000)} == {200.0}


def test_it_asks_about_a_dangerous_voltage_and_waits() -> None:
    device = programmed("s m 0 0 0", "s m 10 7 60000000")
    assert tell(device, "1001 s a run") == "dangerous voltage\r\n"
    assert tell(device, "g a") == "?\r\n"
    assert tell(device, "g a") == "Ready HIGH OUTPUT\r\n*\r\n"
    tell(device, "1001 s a run")
    assert tell(device, "OK") == "*\r\n"
    assert tell(device, "g a") == "Waiting for gate or Trigger\r\n*\r\n"


def test_without_mains_nothing_flows_and_all_is_forgotten() -> None:
    device = programmed()
    tell(device, "1001 s a run")
    tell(device, "1001 s t one")
    device.lose_power(500_300)
    assert phases_of(device)(500_300, 3_000_000) == []
    assert tell(device, "g m 10 7", 3_000_000) == "0\r\n*\r\n"


def test_its_trigger_input_starts_what_is_loaded() -> None:
    device = programmed()
    tell(device, "1001 s a run")
    device.external_trigger(1000)
    assert len(phases_of(device)(0, 3_000_000)) == 120


def test_faults_are_of_the_line_not_of_the_device() -> None:
    device = programmed()
    tell(device, "1001 s a run")
    device.inject(Faults(late_us=5000))
    assert device.feed(b"1001 s t one\r", 0) == b""
    assert device.poll(5000) == b"1001 s t one\r\r\n*\r\n"
    assert len(phases_of(device)(0, 3_000_000)) == 120


def test_every_line_is_kept_with_its_time() -> None:
    device = AM4100Device()
    device.feed(b"g ", 10)
    device.feed(b"r\rx\r", 20)
    assert [(entry.time_us, entry.line) for entry in device.log] == [(20, "g r"), (20, "x")]
