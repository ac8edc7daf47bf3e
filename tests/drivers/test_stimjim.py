"""The StimJim driver against the emulated instrument: what is refused, what is written, what comes out."""

from collections.abc import Iterator
from threading import Event, Thread

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stimjim_bench import KINDLING, Rig

from drivers.delivery_report import SelfMeasuring
from drivers.interface import Abort, DeviceNotFound, DeviceRefused, LinkLost, PulseTrain
from drivers.simulated.faults import Faults
from drivers.simulated.stimjim_device import Firmware, StimJimDevice
from drivers.stimulator_state import State

KINDLING_LINE = b"S0,1,3,16667,991687;200,0,1000;-200,0,1000;\n"
SILENCE_LINE = b"S0,3,3,10000,20000;\n"


@pytest.fixture
def rig() -> Iterator[Rig]:
    rig = Rig().ready()
    yield rig
    rig.stimulator.close()


def test_connecting_proves_model_stop_and_sync_without_any_output() -> None:
    rig = Rig()
    assert rig.stimulator.identify() == "StimJim, firmware of 2024-08-21 or later, channel 0, at in memory"
    assert rig.wire.written == [
        b"D\n",
        b"S99,3,3,10000,20000;\n",
        b"T99\n",
        b"T-1\n",
        b"U99\n",
        b"U-1\n",
        b"R0,-1\n",
        b"R1,-1\n",
        SILENCE_LINE,
    ]
    assert rig.current(0, 5_000_000) == []


@pytest.mark.parametrize(
    ("firmware", "why"), [(Firmware.WITHOUT_STOP, "no stop"), (Firmware.WITHOUT_SYNC, "no sync output")]
)
def test_older_firmware_is_refused_with_what_to_do(firmware: Firmware, why: str) -> None:
    rig = Rig(StimJimDevice(firmware))
    with pytest.raises(DeviceRefused, match=f"{why}: install firmware of 2024-08-21 or later"):
        rig.stimulator.identify()
    assert rig.stimulator.state is State.FAULT
    with pytest.raises(DeviceRefused, match="connect again"):
        rig.stimulator.prepare(KINDLING)


def test_before_any_train_was_started_no_stop_is_sent() -> None:
    """It would read an unset pointer of the firmware."""
    rig = Rig()
    rig.device.inject(Faults(silent=True))
    with pytest.raises(DeviceNotFound, match=r"answer like a StimJim \(nothing\)"):
        rig.stimulator.identify()
    assert rig.stimulator.abort() is Abort.UNCONFIRMED
    assert rig.wire.written == [b"D\n"]
    rig.stimulator.close()


def test_the_line_for_a_kindling_train_is_the_one_that_real_firmware_played_as_60_pulses(rig: Rig) -> None:
    delivered = rig.fired()
    assert rig.wire.written == [KINDLING_LINE, b"T0\n"]
    assert delivered.current_ua == pytest.approx(1966 * 0.1017)
    assert (delivered.period_us, delivered.n_pulses, delivered.net_charge_uc) == (16_667, 60, 0.0)
    current = rig.current(0, 3_000_000)
    assert [ua for _, ua, _ in current] == pytest.approx([delivered.current_ua, -delivered.current_ua] * 60)


def test_channel_1_delivers_while_channel_0_stays_grounded() -> None:
    device = StimJimDevice(channel=1)
    rig = Rig(device, channel=1).ready()
    rig.fired()
    assert rig.wire.written[0] == b"S0,3,1,16667,991687;0,200,1000;0,-200,1000;\n"
    assert len(rig.current(0, 3_000_000)) == 120
    assert device.marker(0, 3_000_000).volts.tolist() == [3.3, 0.0]
    rig.clock.now_us = 3_000_000
    rig.stimulator.rest()
    report = rig.stimulator.delivery_report()
    assert report is not None
    assert report.phase_ua == pytest.approx((200.0, -200.0), abs=1)


def test_what_the_instrument_measured_is_read_after_the_train(rig: Rig) -> None:
    assert isinstance(rig.stimulator, SelfMeasuring)
    assert rig.stimulator.delivery_report() is None
    rig.fired(PulseTrain(100, 1000, 100, 50, 0.1, polarity="anodic_first"))
    rig.clock.now_us = 1_000_000
    assert rig.stimulator.delivery_report() is None
    rig.stimulator.rest()
    report = rig.stimulator.delivery_report()
    assert report is not None
    assert (report.n_pulses, report.phase_ua, report.complaint) == (5, (100.0, -100.0), "")
    rig.stimulator.prepare(KINDLING)
    assert rig.stimulator.delivery_report() is None


def test_a_load_beyond_its_voltage_is_told_with_both_numbers(rig: Rig) -> None:
    """400 uA into 100 kOhm: the real firmware said 136 uA as well."""
    rig.device.connect_load(100.0, 0)
    rig.fired(PulseTrain(400, 1000, 0, 50, 0.1, polarity="anodic_first"))
    rig.clock.now_us = 1_000_000
    rig.stimulator.rest()
    report = rig.stimulator.delivery_report()
    assert report is not None
    assert report.phase_ua == (136.0, -136.0)
    assert "measured 136 uA where 400 uA should flow" in report.complaint
    assert "up to 34.3 kOhm" in report.complaint


def test_a_train_without_its_summary_may_still_run_and_is_not_programmed_over(rig: Rig) -> None:
    rig.fired()
    rig.clock.now_us = 500_000
    with pytest.raises(LinkLost, match="may still be stimulating"):
        rig.stimulator.rest()
    assert rig.wire.written == [KINDLING_LINE, b"T0\n"]
    assert rig.stimulator.state is State.FAULT
    assert len(rig.current(0, 3_000_000)) == 120


def test_while_a_train_runs_nothing_is_written_but_a_stop(rig: Rig) -> None:
    rig.fired()
    rig.clock.now_us = 500_000
    for verb in (lambda: rig.stimulator.prepare(KINDLING), rig.stimulator.fire):
        with pytest.raises(DeviceRefused, match="let the train end and rest first"):
            verb()
    assert rig.stimulator.abort() is Abort.CONFIRMED
    assert rig.wire.written == [KINDLING_LINE, b"T0\n", b"T-1\nD\n", SILENCE_LINE]


def test_a_stray_start_after_rest_or_abort_delivers_nothing(rig: Rig) -> None:
    for make_safe in (rig.stimulator.rest, rig.stimulator.abort):
        rig.stimulator.prepare(KINDLING)
        make_safe()
        start_us = rig.clock.now_us
        rig.device.feed(b"T0\n", start_us)
        rig.clock.now_us += 2_000_000
        assert rig.current(start_us, rig.clock.now_us) == []


def test_nothing_at_the_sync_connectors_can_start_a_train(rig: Rig) -> None:
    rig.stimulator.prepare(KINDLING)
    for connector in (0, 1):
        rig.device.line(connector, True, 1000)
    assert rig.current(0, 3_000_000) == []


@settings(deadline=None, max_examples=40)
@given(stop_us=st.integers(0, 1_200_000), interphase_us=st.sampled_from([0, 100]))
def test_a_stop_at_any_time_leaves_no_net_charge(stop_us: int, interphase_us: int) -> None:
    rig = Rig().ready()
    rig.fired(PulseTrain(200, 1000, interphase_us, 60, 1))
    rig.clock.now_us = stop_us
    assert rig.stimulator.abort() is Abort.CONFIRMED
    current = rig.current(0, 3_000_000)
    assert sum(ua * us for _, ua, us in current) == pytest.approx(0.0, abs=1e-6)
    assert all(start_us + us <= stop_us + 2100 for start_us, _, us in current)
    rig.stimulator.close()


def test_a_train_goes_on_and_ends_by_itself_when_the_computer_dies(rig: Rig) -> None:
    rig.fired()
    assert len(rig.current(0, 60_000_000)) == 120


def test_connecting_after_a_crash_takes_the_timer_from_the_train_that_still_runs(rig: Rig) -> None:
    rig.fired()
    rig.clock.now_us = 500_500
    another = rig.driver()
    another.identify()
    # The pulse in progress is completed.
    assert all(start_us <= 501_010 for start_us, _, _ in rig.current(0, 5_000_000))
    rig.clock.now_us = 5_000_000
    another.prepare(KINDLING)
    another.fire()
    assert len(rig.current(5_000_000, 8_000_000)) == 120
    assert rig.device.marker(8_000_000, 8_000_001).volts.tolist() == [0.0]
    another.close()


def test_a_train_that_another_program_runs_on_the_other_timer_is_ended() -> None:
    rig = Rig()
    rig.device.feed(b"S7,1,3,20000,60000000;100,0,1000;-100,0,1000;\nU7\n", 0)
    assert len(rig.current(0, 1_000_000)) > 90
    rig.clock.now_us = 1_010_000
    rig.stimulator.identify()
    assert rig.current(1_010_000, 60_000_000) == []
    rig.stimulator.close()


def test_unplugged_it_is_off_at_once_and_forgets_what_was_prepared(rig: Rig) -> None:
    rig.fired()
    rig.clock.now_us = 500_000
    rig.device.lose_power(500_000)
    rig.wire.unplug()
    assert rig.stimulator.abort() is Abort.UNCONFIRMED
    assert rig.current(500_000, 3_000_000) == []
    rig.clock.now_us = 3_000_000
    rig.device.regain_power(3_000_000)
    rig.wire.replug()
    with pytest.raises(DeviceRefused, match="connect again"):
        rig.stimulator.fire()
    rig.stimulator.identify()
    with pytest.raises(DeviceRefused, match="prepare a train first"):
        rig.stimulator.fire()
    rig.fired()
    assert len(rig.current(3_000_000, 6_000_000)) == 120


def test_a_damaged_number_is_seen_in_the_echo(rig: Rig) -> None:
    rig.wire.change = lambda line: line.replace(b"200,0,1000;-", b"700,0,1000;-")
    with pytest.raises(LinkLost, match=r"was echoed as .*amplitude0=700.* where .*amplitude0=200.* was written"):
        rig.stimulator.prepare(KINDLING)
    assert rig.stimulator.state is State.FAULT
    with pytest.raises(DeviceRefused):
        rig.stimulator.fire()
    assert rig.current(0, 3_000_000) == []


@pytest.mark.parametrize("n_arriving", range(0, len(KINDLING_LINE), 4))
def test_a_line_that_is_cut_on_the_way_is_a_lost_link_and_starts_nothing(n_arriving: int) -> None:
    rig = Rig().ready()
    rig.device.inject(Faults(drop_after=n_arriving))
    with pytest.raises(LinkLost):
        rig.stimulator.prepare(KINDLING)
    assert rig.stimulator.abort() is Abort.UNCONFIRMED
    assert rig.current(0, 3_000_000) == []
    rig.stimulator.close()


def test_bytes_that_nobody_asked_for_are_not_taken_for_a_part_of_the_answer(rig: Rig) -> None:
    rig.wire.stray = b"Booting StimJim on Teensy 3.5!\r\n"
    with pytest.raises(LinkLost, match="Booting"):
        rig.stimulator.prepare(KINDLING)


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
    rig.stimulator.close()


def test_a_late_answer_is_not_taken_for_the_proof_of_a_stop(rig: Rig) -> None:
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
    assert rig.wire.written[-1] == b"T-1\n"
    assert rig.current(302_001, 5_000_000) == []

    rig.wire.let_go.set()
    for thread in (rig.wire.stuck, stopping):
        thread.join()
    assert outcome == [Abort.CONFIRMED]
    assert rig.stimulator.state is State.IDLE
    rig.stimulator.close()
