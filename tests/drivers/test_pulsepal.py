"""The Pulse Pal driver against the emulated instrument: what is refused, what is written, what comes out."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import pairwise
from threading import Event, Thread, current_thread

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pulsepal_bench import count_phases, phases
from stimulator_bench import HandClock
from test_pulsepal_codec import KINDLING_HEX

from drivers.interface import Abort, DeviceNotFound, DeviceRefused, LinkLost, PulseTrain
from drivers.pulsepal import PulsePal
from drivers.pulsepal_train import OutputStage, quantise
from drivers.simulated.endpoints import MemoryWire, PtyEndpoint
from drivers.simulated.faults import Faults
from drivers.simulated.pulsepal_device import PulsePalDevice
from drivers.stimulator_state import State

KINDLING = PulseTrain(current_ua=200, phase_us=1000, interphase_us=0, pulse_hz=60, train_s=1, polarity="anodic_first")


STOP_US = 50 + 20
"""A message is read at the start of the next cycle, and the second byte of an abort one byte time later."""


class RecordingWire(MemoryWire):
    """Keeps every write."""

    def __init__(self, device: PulsePalDevice, clock: HandClock) -> None:
        super().__init__(device, clock)
        self.written: list[str] = []
        self.on_write = Event()

    def write(self, data: bytes) -> int:
        n_written = super().write(data)
        self.written.append(data.hex())
        self.on_write.set()
        return n_written


class Rig:
    def __init__(self, version: int = 21, **changes: object) -> None:
        self.clock = HandClock()
        self.device = PulsePalDevice(version)
        self.wire = RecordingWire(self.device, self.clock)
        self.stimulator = PulsePal(
            "in memory", wire=self.wire, **{"ua_per_v": 1000.0, "max_current_ua": 1000.0, "settle_s": 0.0} | changes
        )

    def ready(self) -> "Rig":
        self.stimulator.identify()
        self.wire.written.clear()
        return self


@pytest.fixture
def rig() -> Iterator[Rig]:
    rig = Rig().ready()
    yield rig
    rig.stimulator.close()


def test_connecting_proves_the_firmware_before_it_writes_anything_else() -> None:
    rig = Rig()
    assert rig.stimulator.identify() == "Pulse Pal 2, firmware 2.0.1 (21), at in memory"
    first, silence, *loops, rest = rig.wire.written
    assert first == "d548"
    assert silence.startswith("d549")
    assert len(silence) == 360
    assert loops == ["d5520100", "d5520200", "d5520300", "d5520400"]
    assert rest == "d550d550d548"


def test_connecting_silences_an_instrument_that_was_left_running() -> None:
    rig = Rig()
    rig.device.feed(bytes.fromhex("d5520101d5520301"), 0)
    rig.clock.now_us = 500_000
    assert rig.device.output(1, 0, 500_000).volts.any()
    rig.stimulator.identify()
    rig.device.line(1, True, 600_000)
    for channel in (1, 2, 3, 4):
        assert not phases(rig.device, channel, 550_000, 5_000_000)


def test_firmware_20_is_accepted() -> None:
    assert Rig(version=20).ready().stimulator.state is State.IDLE


@pytest.mark.parametrize(("version", "why"), [(5, "8-bit"), (19, "8-bit"), (22, "not known"), (2**32 - 1, "not known")])
def test_another_firmware_is_refused_and_never_sent_two_byte_voltages(version: int, why: str) -> None:
    """A Pulse Pal 1 would take the first byte of 0 V for -10 V."""
    rig = Rig(version=version)
    with pytest.raises(DeviceRefused, match=why):
        rig.stimulator.identify()
    assert rig.stimulator.state is State.FAULT
    assert rig.stimulator.abort() is Abort.UNCONFIRMED
    rig.stimulator.close()
    assert set(rig.wire.written) == {"d548", "d550d550"}


def test_the_message_for_a_kindling_train_is_the_one_that_real_firmware_played(rig: Rig) -> None:
    delivered = rig.stimulator.prepare(KINDLING)
    rig.stimulator.fire()
    assert rig.wire.written == [KINDLING_HEX, "d54d01d548"]
    assert delivered.current_ua == pytest.approx(655 / 3.2768)
    assert delivered.pulse_hz == pytest.approx(60.06, abs=1e-3)
    assert (delivered.period_us, delivered.n_pulses, delivered.net_charge_uc) == (16_650, 60, 0.0)
    assert delivered.train_s == pytest.approx(0.999)


def test_resting_and_stopping_write_the_known_bytes(rig: Rig) -> None:
    rig.stimulator.prepare(KINDLING)
    rig.wire.written.clear()
    rig.stimulator.rest()
    assert rig.stimulator.abort() is Abort.CONFIRMED
    rig.stimulator.close()
    stop = "d550d550d54a02010080d54a03010080d548"
    assert rig.wire.written == ["d54a02010080d54a03010080", stop, stop, "d551"]


def test_a_stray_trigger_after_rest_or_abort_delivers_nothing(rig: Rig) -> None:
    for make_safe in (rig.stimulator.rest, rig.stimulator.abort):
        rig.stimulator.prepare(KINDLING)
        make_safe()
        start_us = rig.clock.now_us
        rig.device.feed(bytes.fromhex("d54d0f"), start_us)
        rig.clock.now_us += 2_000_000
        for channel in (1, 2, 3, 4):
            assert not phases(rig.device, channel, start_us, rig.clock.now_us)


def test_the_sync_channel_is_high_for_the_whole_train_and_stops_with_it() -> None:
    rig = Rig(sync_channel=3).ready()
    rig.stimulator.prepare(KINDLING)
    rig.stimulator.fire()
    (sync,) = phases(rig.device, 3, 0, 3_000_000)
    first = phases(rig.device, 1, 0, 3_000_000)[0]
    assert (sync.start_us, sync.offset_codes, sync.duration_us) == (first.start_us, 16384, 999_000)
    assert count_phases(rig.device, 1, 0, 3_000_000) == (60, 60)
    rig.clock.now_us = 3_000_000
    rig.stimulator.rest()
    rig.stimulator.prepare(KINDLING)
    rig.stimulator.fire()
    rig.clock.now_us = 3_500_000
    rig.device.poll(3_500_000)
    assert rig.stimulator.abort() is Abort.CONFIRMED
    (sync,) = phases(rig.device, 3, 3_000_000, 6_000_000)
    assert sync.start_us + sync.duration_us == pytest.approx(3_500_000, abs=STOP_US)


@pytest.mark.parametrize(
    ("polarity", "positive_is_cathodic", "first_is_positive"),
    [
        ("cathodic_first", False, False),
        ("cathodic_first", True, True),
        ("anodic_first", False, True),
        ("anodic_first", True, False),
    ],
)
@pytest.mark.parametrize("shape", ["biphasic", "monophasic"])
def test_the_wiring_decides_the_sign(
    polarity: str, positive_is_cathodic: bool, first_is_positive: bool, shape: str
) -> None:
    rig = Rig(positive_is_cathodic=positive_is_cathodic).ready()
    rig.stimulator.prepare(PulseTrain(100, 1000, 0, 50, 0.2, shape=shape, polarity=polarity))
    rig.stimulator.fire()
    found = phases(rig.device, 1, 0, 1_000_000)
    assert (found[0].offset_codes > 0) == first_is_positive
    assert len(found) == (20 if shape == "biphasic" else 10)


@pytest.mark.parametrize(
    "settings", [{"channel": 0}, {"channel": 5}, {"channel": 2, "sync_channel": 2}, {"sync_channel": 7}]
)
def test_channels_that_do_not_exist_are_refused(settings: dict[str, int]) -> None:
    with pytest.raises(DeviceRefused, match="1 to 4"):
        Rig(**settings)


@pytest.mark.parametrize("name", ["ua_per_v", "max_current_ua"])
@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf")])
def test_a_calibration_that_cannot_be_is_refused(name: str, value: float) -> None:
    with pytest.raises(DeviceRefused, match=name):
        Rig(**{name: value})


def _stage(ua_per_v: float = 1000.0, max_current_ua: float = 1000.0) -> OutputStage:
    return OutputStage(ua_per_v, max_current_ua)


@pytest.mark.parametrize(
    ("train", "stage", "says"),
    [
        (PulseTrain(1200, 1000, 0, 60, 1), _stage(), r"asks 1200 uA; .* max_current_ua allows 1000 uA"),
        (PulseTrain(1000, 1000, 0, 60, 1), _stage(ua_per_v=100), r"10 V at 100 uA/V.*0.0003 to 9.9997 V"),
        (PulseTrain(0.1, 1000, 0, 60, 1), _stage(), r"0.1 uA is 0.0001 V"),
        (PulseTrain(200, 130, 0, 60, 1), _stage(), r"phase of 130 us; the nearest .* 150 us"),
        (PulseTrain(200, 20, 0, 60, 1), _stage(), r"phase of 20 us; the nearest .* 0 us"),
        (PulseTrain(200, 1000, 30, 60, 1), _stage(), r"interphase gap of 30 us; the nearest .* 50 us"),
        (PulseTrain(200, 50, 0, 900, 1), _stage(), r"pulse rate of 900 Hz; the nearest .* 909.091 Hz"),
        (PulseTrain(200, 50, 0, 50_000, 1), _stage(), r"pulse rate of 50000 Hz; the nearest .* 0 Hz"),
        (PulseTrain(200, 1000, 0, 625, 1), _stage(), r"2000 us does not fit 625 Hz, a period of 1600 us"),
        (PulseTrain(200, 1000, 0, 1000, 1, shape="monophasic"), _stage(), r"1000 us does not fit 1000 Hz"),
        (PulseTrain(200, 1000, 0, 1, 0.4), _stage(), r"makes 0 pulses"),
        (PulseTrain(200, 1000, 0, 1, 1e6), _stage(), r"makes 1000000 pulses; .* 60 hours"),
    ],
)
def test_what_the_grid_cannot_hold_is_refused_with_both_numbers(
    train: PulseTrain, stage: OutputStage, says: str
) -> None:
    with pytest.raises(DeviceRefused, match=says):
        quantise(train, stage)


@pytest.mark.parametrize(
    ("asked_hz", "period_us"), [(50, 20_000), (62.5, 16_000), (60, 16_650), (30, 33_350), (3, 333_350), (200, 5_000)]
)
def test_rates_fall_on_the_grid_of_50_us(asked_hz: float, period_us: int) -> None:
    delivered = quantise(PulseTrain(200, 1000, 0, asked_hz, 2), _stage()).delivered
    assert (delivered.period_us, delivered.n_pulses) == (period_us, round(2 * asked_hz))


def test_a_current_at_the_cap_is_delivered_and_does_not_round_above_it() -> None:
    """200 uA at 100 uA/V is code 6553.6; the nearest code would be 200.012 uA."""
    delivered = quantise(PulseTrain(200, 1000, 0, 60, 1), _stage(ua_per_v=100, max_current_ua=200)).delivered
    assert 199.97 < delivered.current_ua <= 200


SHAPES = st.sampled_from(["biphasic", "monophasic"])
POLARITIES = st.sampled_from(["cathodic_first", "anodic_first"])
STAGES = st.builds(
    OutputStage, st.sampled_from([1000.0, 100.0, 10_000.0, 87.3]), st.sampled_from([50.0, 200.0, 1000.0]), st.booleans()
)


@st.composite
def playable(draw: st.DrawFn) -> tuple[PulseTrain, OutputStage]:
    """Trains on the grid and within the range: none of them may be refused."""
    stage = draw(STAGES)
    highest_ua = min(stage.max_current_ua, 9.999 * stage.ua_per_v)
    current_ua = draw(st.floats(min(1.0, 2 * stage.ua_per_code / highest_ua), 1.0)) * highest_ua
    period = draw(st.sampled_from([100, 200, 320, 333, 334, 400, 667, 800, 2000, 6667]))
    phase = draw(st.integers(1, period // 2 - 1))
    interphase = draw(st.integers(0, period - 2 * phase))
    n_pulses = draw(st.integers(1, 80))
    hz = 20_000 / period
    train = PulseTrain(current_ua, phase * 50, interphase * 50, hz, n_pulses / hz, draw(SHAPES), draw(POLARITIES))
    return train, stage


@settings(deadline=None, max_examples=60)
@given(playable())
def test_what_comes_out_is_what_prepare_returned(asked: tuple[PulseTrain, OutputStage]) -> None:
    train, stage = asked
    rig = Rig(
        ua_per_v=stage.ua_per_v, max_current_ua=stage.max_current_ua, positive_is_cathodic=stage.positive_is_cathodic
    ).ready()
    delivered = rig.stimulator.prepare(train)
    rig.stimulator.fire()
    found = phases(rig.device, 1, 0, 40_000_000)
    rig.stimulator.close()
    ua = [phase.offset_codes * stage.ua_per_code for phase in found]

    assert max(map(abs, ua)) <= stage.max_current_ua
    assert len(found) == train.n_phases * delivered.n_pulses == train.n_phases * train.n_pulses
    assert [abs(current) for current in ua] == pytest.approx([delivered.current_ua] * len(ua))
    assert {phase.duration_us for phase in found} == {delivered.phase_us}
    starts_us = [phase.start_us for phase in found[:: train.n_phases]]
    assert {second - first for first, second in pairwise(starts_us)} <= {delivered.period_us}
    net_uc = sum(current * phase.duration_us for current, phase in zip(ua, found, strict=True)) * 1e-6
    assert abs(net_uc) == pytest.approx(delivered.net_charge_uc, abs=1e-9)
    assert (ua[0] > 0) == ((train.polarity == "cathodic_first") == stage.positive_is_cathodic)
    if train.shape == "biphasic":
        first, second = found[:2]
        assert second.start_us - first.start_us - first.duration_us == delivered.interphase_us == train.interphase_us


WILD = st.builds(
    PulseTrain,
    current_ua=st.floats(0.01, 1100),
    phase_us=st.floats(1, 5000),
    interphase_us=st.just(0.0) | st.floats(0, 2000),
    pulse_hz=st.floats(0.5, 400),
    train_s=st.floats(0.01, 2),
    shape=SHAPES,
    polarity=POLARITIES,
)


@settings(max_examples=300)
@given(WILD, STAGES)
def test_a_train_is_played_as_asked_or_refused(train: PulseTrain, stage: OutputStage) -> None:
    try:
        delivered = quantise(train, stage).delivered
    except DeviceRefused:
        return
    assert delivered.current_ua <= stage.max_current_ua
    assert delivered.current_ua == pytest.approx(train.current_ua, rel=0.0101, abs=1.0001 * stage.ua_per_code)
    assert delivered.phase_us == pytest.approx(train.phase_us, rel=0.0101)
    assert delivered.pulse_hz == pytest.approx(train.pulse_hz, rel=0.0101)
    assert delivered.n_pulses == train.n_pulses
    if train.shape == "biphasic":
        assert delivered.interphase_us == pytest.approx(train.interphase_us, rel=0.0101)
        assert delivered.net_charge_uc == 0.0


@settings(deadline=None, max_examples=40)
@given(WILD, STAGES)
def test_a_refused_train_leaves_the_instrument_silent(train: PulseTrain, stage: OutputStage) -> None:
    rig = Rig(ua_per_v=stage.ua_per_v, max_current_ua=stage.max_current_ua).ready()
    rig.stimulator.prepare(PulseTrain(4 * stage.ua_per_code, 500, 0, 50, 0.1))
    try:
        rig.stimulator.prepare(train)
    except DeviceRefused:
        rig.device.feed(bytes.fromhex("d54d0f"), 0)
        assert not phases(rig.device, 1, 0, 10_000_000)
    finally:
        rig.stimulator.close()


def test_a_stop_ends_the_output_in_the_next_cycle(rig: Rig) -> None:
    for stop_us in (500_400, 500_950, 501_700, 510_000):
        start_us = rig.clock.now_us
        rig.stimulator.prepare(PulseTrain(200, 1000, 0, 50, 1))
        rig.stimulator.fire()
        rig.clock.now_us = start_us + stop_us
        assert rig.stimulator.abort() is Abort.CONFIRMED
        rig.clock.now_us += 3_000_000
        last = phases(rig.device, 1, start_us, rig.clock.now_us)[-1]
        assert last.start_us + last.duration_us <= start_us + stop_us + STOP_US


class StuckWire(RecordingWire):
    """A read of one thread hangs until the test lets go."""

    def __init__(self, device: PulsePalDevice, clock: HandClock) -> None:
        super().__init__(device, clock)
        self.stuck: Thread | None = None
        self.is_stuck, self.let_go = Event(), Event()

    def read(self, size: int = 1) -> bytes:
        if current_thread() is self.stuck and size == 5:
            self.is_stuck.set()
            assert self.let_go.wait(5)
        return super().read(size)


def test_a_stop_is_written_at_once_while_another_thread_waits_for_an_answer() -> None:
    rig = Rig()
    rig.wire = StuckWire(rig.device, rig.clock)
    rig.stimulator = PulsePal("in memory", wire=rig.wire, ua_per_v=1000, max_current_ua=1000, settle_s=0)
    rig.ready().stimulator.prepare(KINDLING)
    rig.wire.stuck = Thread(target=rig.stimulator.fire)
    rig.wire.stuck.start()
    assert rig.wire.is_stuck.wait(5)
    rig.clock.now_us = 300_000

    outcome: list[Abort] = []
    rig.wire.on_write = Event()
    stopping = Thread(target=lambda: outcome.append(rig.stimulator.abort()))
    stopping.start()
    assert rig.wire.on_write.wait(5)
    assert rig.wire.written[-1] == "d550d550d54a02010080d54a03010080d548"
    assert not phases(rig.device, 1, 300_000 + STOP_US, 5_000_000)

    rig.wire.let_go.set()
    for thread in (rig.wire.stuck, stopping):
        thread.join()
    assert outcome == [Abort.CONFIRMED]
    assert rig.stimulator.state is State.IDLE
    rig.stimulator.close()


def test_a_late_answer_is_not_taken_for_the_proof_of_a_stop(rig: Rig) -> None:
    rig.stimulator.prepare(KINDLING)
    rig.device.inject(Faults(late_us=100_000))
    with pytest.raises(LinkLost, match="not at all"):
        rig.stimulator.fire()
    rig.device.inject(Faults(silent=True))
    rig.clock.now_us += 200_000
    assert rig.stimulator.abort() is Abort.UNCONFIRMED


def test_a_fault_is_left_by_connecting_again(rig: Rig) -> None:
    rig.stimulator.prepare(KINDLING)
    rig.wire.unplug()
    with pytest.raises(LinkLost, match=r"in memory cannot be read .*unplugged"):
        rig.stimulator.fire()
    assert rig.stimulator.state is State.FAULT
    rig.wire.replug()
    assert rig.stimulator.abort() is Abort.CONFIRMED
    assert rig.stimulator.state is State.FAULT
    rig.stimulator.identify()
    assert rig.stimulator.state is State.IDLE


def test_half_a_message_of_a_program_that_died_is_not_completed_by_ours() -> None:
    """The instrument stays deaf until somebody clicks; connecting says so."""
    rig = Rig()
    rig.device.feed(bytes.fromhex("d549"), 0)
    rig.clock.now_us = 600_000
    with pytest.raises(DeviceNotFound, match=r"COMM[.] FAILURE"):
        rig.stimulator.identify()
    rig.device.click(700_000)
    rig.clock.now_us = 700_000
    rig.stimulator.identify()


def test_a_message_that_is_cut_on_the_way_is_a_lost_link(rig: Rig) -> None:
    rig.device.inject(Faults(drop_after=90))
    with pytest.raises(LinkLost):
        rig.stimulator.prepare(KINDLING)
    assert rig.stimulator.abort() is Abort.UNCONFIRMED


def test_a_port_that_does_not_exist_is_named() -> None:
    stimulator = PulsePal("/dev/does-not-exist", ua_per_v=1000, max_current_ua=1000)
    with pytest.raises(DeviceNotFound, match="/dev/does-not-exist cannot be opened"):
        stimulator.identify()
    stimulator = PulsePal("nonsense://", ua_per_v=1000, max_current_ua=1000)
    with pytest.raises(DeviceNotFound, match="nonsense:// cannot be opened"):
        stimulator.identify()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")
class TestAThirdPartyClient:
    """pypulsepal 0.4.6 on the emulator, as an eye that is not ours."""

    @pytest.mark.parametrize(("hz", "expected"), [(50, (50, 50)), (60, (61, 60))])
    def test_it_delivers_what_real_hardware_would_for_it(self, hz: float, expected: tuple[int, int]) -> None:
        pypulsepal = pytest.importorskip("pypulsepal")
        device, clock = PulsePalDevice(), HandClock()
        with ExitStack() as stack:
            endpoint = stack.enter_context(PtyEndpoint(device, clock))
            client = pypulsepal.PulsePal(endpoint.address)
            stack.callback(client._arcom.close)
            assert client.firmware_version == 21
            for name, value in {
                "isBiphasic": 1,
                "phase1Voltage": 3,
                "phase2Voltage": -3,
                "phase1Duration": 0.001,
                "phase2Duration": 0.001,
                "interPhaseInterval": 0,
                "interPulseInterval": 1 / hz - 0.002,
                "pulseTrainDuration": 1.0,
                "linkTriggerChannel1": 0,
            }.items():
                assert client.program_one_param(channel=0, param_name=name, param_value=value)
            client.trigger_selected_channels(channel_1=True)
            # A message that is answered proves that the trigger before it was read.
            assert client.program_one_param(channel=3, param_name="isBiphasic", param_value=0)
            assert count_phases(device, 1, 0, 5_000_000) == expected

    def test_our_driver_delivers_whole_pulses_at_60_hz(self) -> None:
        device, clock = PulsePalDevice(), HandClock()
        with PtyEndpoint(device, clock) as endpoint:
            stimulator = PulsePal(endpoint.address, ua_per_v=1000, max_current_ua=1000)
            stimulator.identify()
            stimulator.prepare(KINDLING)
            stimulator.fire()
            assert count_phases(device, 1, 0, 5_000_000) == (60, 60)
            stimulator.close()
