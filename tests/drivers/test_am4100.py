"""The 4100 driver against the emulated instrument: what is refused, what is written, what comes out."""

from collections.abc import Iterator
from threading import Event, Thread

import pytest
from am4100_bench import KINDLING, Rig
from stimulator_bench import HandClock, phases_of
from wires import ScriptedWire

from drivers.am4100 import AM4100
from drivers.interface import Abort, DeviceNotFound, DeviceRefused, LinkLost
from drivers.simulated.am4100_device import AM4100Device
from drivers.simulated.endpoints import TcpEndpoint
from drivers.simulated.faults import Faults
from drivers.stimulator_state import State


@pytest.fixture
def rig() -> Iterator[Rig]:
    rig = Rig().ready()
    yield rig
    rig.stimulator.close()


def test_connecting_proves_the_model_before_it_changes_anything_and_opens_the_relay() -> None:
    rig = Rig()
    assert rig.stimulator.identify() == "A-M Systems 4100, revision M2_F3, at in memory"
    assert rig.wire.written[:2] == [b"x\r", b"g r\r"]
    assert rig.told()[1:] == ["s a stop", "s t none", "s r open", "s m 10 7 0", "s m 7 6 0"]
    assert rig.current(0, 5_000_000) == []


def test_half_a_line_of_a_program_that_died_is_not_completed_by_ours() -> None:
    """``s t o`` and the end of a line would be a trigger."""
    rig = Rig().ready()
    rig.stimulator.prepare(KINDLING)
    rig.device.feed(b"1001 s t o", 0)
    another = rig.driver()
    another.identify()
    assert rig.current(0, 3_000_000) == []
    another.close()


def test_free_run_that_another_program_left_on_is_ended() -> None:
    rig = Rig()
    for words in ("s m 0 0 1", "s m 10 7 50", "s m 10 5 20000", "s r close", "s t free", "s a run"):
        rig.device.feed(f"1001 {words}\r".encode(), 0)
    assert rig.current(0, 100_000)
    rig.clock.now_us = 100_000
    rig.stimulator.identify()
    assert rig.current(100_000, 5_000_000) == []
    rig.stimulator.close()


def test_revision_m1_is_spoken_to_without_a_pin() -> None:
    rig = Rig(AM4100Device("M1_F1")).ready()
    rig.fired()
    assert len(rig.current(0, 3_000_000)) == 120
    assert not [line for line in rig.wire.written if line.startswith(b"1001")]
    rig.stimulator.close()


def test_a_wrong_pin_is_told() -> None:
    rig = Rig(AM4100Device(pin=4711))
    with pytest.raises(DeviceRefused, match=r"refuses: stopping was answered .*; check the PIN"):
        rig.stimulator.identify()
    assert rig.stimulator.state is State.FAULT
    assert rig.stimulator.abort() is Abort.UNCONFIRMED


def test_another_instrument_is_named() -> None:
    with pytest.raises(DeviceRefused, match=r"another instrument.*'STG4002'"):
        Rig(AM4100Device("STG4002")).stimulator.identify()


def test_the_settings_for_a_kindling_train_are_those_of_the_vendors_example_with_the_amplitude_last(rig: Rig) -> None:
    delivered = rig.stimulator.prepare(KINDLING)
    told = rig.told()
    assert told[0] == "s a stop"
    assert told[-3:] == ["s m 10 7 200", "s r close", "s a run"]
    assert {
        "s m 0 0 1", "s m 0 3 1", "s m 7 0 0", "s m 4 0 1", "s m 7 1 0", "s m 7 4 1", "s m 7 5 1", "s m 7 6 0",
        "s m 10 2 1", "s m 10 3 0", "s m 10 4 60", "s m 10 5 16667", "s m 10 6 1000", "s m 10 8 0", "s m 1 1 1",
    } <= set(told)  # fmt: skip
    rig.wire.written.clear()
    rig.stimulator.fire()
    assert rig.wire.written == [b"1001 s t one\r"]
    assert (delivered.current_ua, delivered.period_us, delivered.n_pulses) == (200.0, 16_667, 60)
    assert [ua for _, ua, _ in rig.current(0, 3_000_000)] == [200.0, -200.0] * 60


def test_every_setting_is_read_back(rig: Rig) -> None:
    rig.stimulator.prepare(KINDLING)
    for n, line in enumerate(rig.wire.written):
        words = line.decode().split()
        if words[1:3] == ["s", "m"]:
            assert rig.wire.written[n + 1].decode().split() == ["g", "m", *words[3:5]]


@pytest.mark.parametrize(
    ("damaged", "instead"),
    [(b"s m 10 7 200", b"s m 10 7 900"), (b"s m 10 4 60", b"s m 10 4 61"), (b"s r close", b"s r x")],
)
def test_a_setting_that_arrives_damaged_never_reaches_the_animal(rig: Rig, damaged: bytes, instead: bytes) -> None:
    rig.wire.change = lambda line: line.replace(damaged, instead)
    with pytest.raises(LinkLost):
        rig.stimulator.prepare(KINDLING)
    assert rig.stimulator.state is State.FAULT
    with pytest.raises(DeviceRefused):
        rig.stimulator.fire()
    assert rig.current(0, 3_000_000) == []


def test_a_knob_that_is_turned_while_the_train_is_written_is_seen(rig: Rig) -> None:
    def turn(line: bytes) -> bytes:
        if line == b"g m 10 7\r":
            rig.device.feed(b"1001 s m 10 7 900\r", 0)
        return line

    rig.wire.change = turn
    with pytest.raises(LinkLost, match="item 7 of menu 10 was set to 200 and reads back '900'"):
        rig.stimulator.prepare(KINDLING)
    with pytest.raises(DeviceRefused):
        rig.stimulator.fire()


def test_the_monitor_and_the_sync_output_are_set() -> None:
    device = AM4100Device(sync_output=2)
    rig = Rig(device, sync=2, monitor_ua_per_v=1000).ready()
    rig.fired()
    assert {"s m 0 1 6", "s m 1 2 1"} <= set(rig.told())
    assert device.marker(0, 3_000_000).times_us.tolist() == [0, 60 * 16_667]
    rig.stimulator.close()


def test_after_a_train_nothing_is_left_to_be_triggered(rig: Rig) -> None:
    for make_safe in (rig.stimulator.rest, rig.stimulator.abort):
        rig.stimulator.prepare(KINDLING)
        make_safe()
        assert rig.device.feed(b"g c\r", rig.clock.now_us).endswith(b"D\r\n*\r\n")
        for line in (b"1001 s r close\r", b"1001 s a run\r", b"1001 s t one\r"):
            rig.device.feed(line, rig.clock.now_us)
        start_us, rig.clock.now_us = rig.clock.now_us, rig.clock.now_us + 3_000_000
        assert rig.current(start_us, rig.clock.now_us) == []
        rig.device.feed(b"1001 s a stop\r", rig.clock.now_us)


def test_a_train_that_is_not_over_is_told_and_not_programmed_over(rig: Rig) -> None:
    rig.fired()
    rig.wire.written.clear()
    rig.clock.now_us = 500_000
    with pytest.raises(LinkLost, match="'Generating pulses' after the train: it is still stimulating"):
        rig.stimulator.rest()
    assert rig.told() == []
    assert rig.stimulator.abort() is Abort.CONFIRMED
    assert rig.current(500_000, 3_000_000) == []


def test_a_stop_is_confirmed_by_status_and_relay(rig: Rig) -> None:
    rig.fired()
    rig.wire.written.clear()
    rig.clock.now_us = 500_000
    assert rig.stimulator.abort() is Abort.CONFIRMED
    assert rig.wire.written[:4] == [b"1001 s a stop\r", b"1001 s r open\r", b"g a\r", b"g c\r"]
    assert rig.current(500_000, 3_000_000) == []


@pytest.mark.parametrize("lost", [b"s r open", b"s a stop"])
def test_a_stop_of_which_half_got_lost_is_unconfirmed_and_the_other_half_ends_the_current(
    rig: Rig, lost: bytes
) -> None:
    rig.fired()
    rig.clock.now_us = 500_000
    rig.wire.change = lambda line: b"" if lost in line else line
    assert rig.stimulator.abort() is Abort.UNCONFIRMED
    assert rig.current(500_000, 3_000_000) == []
    rig.wire.change = bytes


def test_a_train_goes_on_and_ends_by_itself_when_the_computer_dies(rig: Rig) -> None:
    rig.fired()
    assert len(rig.current(0, 60_000_000)) == 120


def test_connecting_after_a_crash_ends_the_train_that_still_runs(rig: Rig) -> None:
    rig.fired()
    rig.clock.now_us = 500_300
    another = rig.driver()
    another.identify()
    assert rig.current(500_300, 3_000_000) == []
    another.close()


def test_a_question_about_dangerous_voltage_is_never_answered() -> None:
    """Whatever is sent then may count as the confirmation; only the stop is."""
    rig = Rig(AM4100Device(asks_above_ua=150)).ready()
    with pytest.raises(LinkLost, match="dangerous voltage: refuse it at its front panel"):
        rig.stimulator.prepare(KINDLING)
    assert rig.told()[-1] == "s a run"
    assert rig.stimulator.state is State.FAULT
    rig.stimulator.abort()
    assert rig.current(0, 3_000_000) == []
    rig.stimulator.close()


@pytest.mark.parametrize(
    ("damaged", "says"),
    [(b"s a run", "does not wait for its trigger: it says 'Ready"), (b"s r close", "its output relay is open")],
)
def test_an_instrument_that_is_not_armed_is_made_silent_again(rig: Rig, damaged: bytes, says: str) -> None:
    class Deaf(ScriptedWire):
        """Answers to one request as if it had been obeyed."""

        def write(self, data: bytes) -> int:
            if damaged in data:
                self._received += data + b"\r\n*\r\n"
                return len(data)
            return super().write(data)

    rig.wire = Deaf(rig.device, rig.clock)
    rig.stimulator = rig.driver()
    rig.stimulator.identify()
    with pytest.raises(DeviceRefused, match=says):
        rig.stimulator.prepare(KINDLING)
    assert rig.told()[-4:] == ["s a stop", "s r open", "s m 10 7 0", "s m 7 6 0"]
    assert rig.stimulator.state is State.IDLE


def test_a_trigger_that_is_refused_counts_as_unknown(rig: Rig) -> None:
    rig.stimulator.prepare(KINDLING)
    rig.wire.change = lambda line: line.replace(b"1001", b"9999")
    with pytest.raises(LinkLost, match="may have been delivered"):
        rig.stimulator.fire()
    rig.wire.change = bytes


def test_a_partial_write_is_a_lost_link(rig: Rig) -> None:
    rig.wire.takes = 5
    with pytest.raises(LinkLost, match="took 5 of"):
        rig.stimulator.prepare(KINDLING)
    assert rig.stimulator.abort() is Abort.UNCONFIRMED


def test_a_write_that_times_out_is_a_lost_link_and_its_stop_unconfirmed(rig: Rig) -> None:
    rig.stimulator.prepare(KINDLING)
    rig.wire.times_out = True
    with pytest.raises(LinkLost, match="may have been delivered"):
        rig.stimulator.fire()
    assert rig.stimulator.abort() is Abort.UNCONFIRMED


def test_late_answers_are_not_taken_for_the_proof_of_a_stop(rig: Rig) -> None:
    rig.fired()
    rig.device.inject(Faults(late_us=100_000))
    assert rig.stimulator.abort() is Abort.UNCONFIRMED
    rig.clock.now_us += 200_000
    rig.device.inject(Faults(silent=True))
    assert rig.stimulator.abort() is Abort.UNCONFIRMED


def test_a_stop_is_written_at_once_while_another_thread_waits_for_an_answer() -> None:
    rig = Rig().ready()
    rig.stimulator.prepare(KINDLING)
    rig.wire.stuck = Thread(target=rig.stimulator.fire)
    rig.wire.stuck.start()
    assert rig.wire.is_stuck.wait(5)
    rig.clock.now_us = 300_000

    outcome: list[Abort] = []
    rig.wire.on_write = Event()
    stopping = Thread(target=lambda: outcome.append(rig.stimulator.abort()))
    stopping.start()
    assert rig.wire.on_write.wait(5)
    assert rig.wire.written[-1] == b"1001 s a stop\r"
    assert rig.current(300_000, 5_000_000) == []

    rig.wire.let_go.set()
    for thread in (rig.wire.stuck, stopping):
        thread.join()
    assert outcome == [Abort.CONFIRMED]
    rig.stimulator.close()


def test_what_telnet_says_at_first_is_not_taken_for_an_answer() -> None:
    class Greeting:
        """The options that a telnet server offers, and a prompt."""

        def __init__(self, device: AM4100Device) -> None:
            self.device = device
            self.greeting = b"\xff\xfb\x01\xff\xfb\x03Model 4100\r\n*\r\n"

        def feed(self, data: bytes, now_us: int) -> bytes:
            return self.device.feed(data, now_us)

        def poll(self, now_us: int) -> bytes:
            said, self.greeting = self.greeting, b""
            return said + self.device.poll(now_us)

    device, clock = AM4100Device(), HandClock()
    with TcpEndpoint(Greeting(device), clock) as endpoint:
        stimulator = AM4100(endpoint.address, max_current_ua=1000.0, settle_s=0.1)
        assert stimulator.identify().startswith("A-M Systems 4100")
        stimulator.prepare(KINDLING)
        stimulator.fire()
        assert len(phases_of(device)(0, 3_000_000)) == 120
        stimulator.close()


def test_a_port_that_does_not_exist_is_named() -> None:
    with pytest.raises(DeviceNotFound, match="/dev/does-not-exist cannot be opened"):
        AM4100("/dev/does-not-exist", max_current_ua=1000).identify()
