"""LSL streams of a real outlet on this computer: exact samples, gaps from time stamps, loss, and doubt refused."""

import json
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from lsl_bench import EEG, RATE_HZ, TTL, Sender, listening, new_name, sender
from msgspec import structs

from drivers.interface import Block, DeviceNotFound, DeviceRefused, DriverError, LinkLost, Reopenable, SamplesLost
from drivers.lsl import LslInput, LslSource
from kindle.assembly import assembled
from kindle.cli import kindle
from kindle.errors import ConfigError
from kindle.lsl_config import LslConfig
from kindle.rig_config import load_rig

RIG = Path(__file__).parents[2] / "docs" / "rigs" / "pulsepal_lsl.toml"


@pytest.fixture
def sending() -> Iterator[Sender]:
    one = sender()
    yield one
    one.end()


def numbers_of(source: LslSource, block: Block) -> list[int]:
    return [round(value) for value in (block[0] * source.channels[0].resolution).tolist()]


def partial_of(failed: DriverError) -> Block:
    assert failed.partial is not None
    return failed.partial


def test_every_sample_arrives_once_and_in_order(sending: Sender) -> None:
    with listening(sending) as source:
        for n_samples in (1, 7, 500, 492):
            sending.push(n_samples)
        blocks = [source.read(n_samples) for n_samples in (300, 1, 699)]
        assert numbers_of(source, np.concatenate(blocks, axis=1)) == list(range(1000))


def test_samples_that_came_and_were_not_read_are_counted(sending: Sender) -> None:
    with listening(sending) as source:
        sending.push(500)
        source.read(200)
        assert source.n_unread() == 300


def test_channels_are_chosen_by_label_in_the_order_of_the_rig_file(sending: Sender) -> None:
    with listening(sending, (TTL, EEG)) as source:
        sending.push(10)
        block = source.read(10)
        assert [channel.name for channel in source.channels] == ["TTL", "Amygdala"]
        assert block[0].tolist() == [0] * 10
        assert block[1].tolist() == [2 * number for number in range(10)]


@pytest.mark.parametrize("kind", ["float32", "double64"])
def test_fractions_are_kept_to_half_a_step_and_stand_at_the_rail_beyond_the_range(kind: str) -> None:
    one = sender(kind=kind)
    with listening(one) as source:
        one.push(6, values=[0.24, 0.26, -7.5, 16383.5, 40_000.0, -40_000.0])
        assert source.read(6)[0].tolist() == [0, 1, -15, 32767, 32767, -32768]
        assert source.channels[0].rail_counts == (-32768, 32767)


def test_counts_are_taken_as_they_are_with_the_step_that_the_stream_states() -> None:
    one = sender(kind="int16", described=(("LA1", "mV", "0.0001"), ("spare", ""), ("Trig", "V", "0.001")))
    with listening(one, (replace(EEG, resolution=None), TTL)) as source:
        one.push(3, values=[-32768, 5, 32767])
        assert source.read(3)[0].tolist() == [-32768, 5, 32767]
        assert source.channels[0].resolution == pytest.approx(0.1)
        assert source.channels[0].unit == "µV"


def test_lost_samples_are_counted_and_both_sides_of_the_gap_are_kept(sending: Sender) -> None:
    with listening(sending) as source:
        sending.push(150)
        sending.lose(37)
        sending.push(100)
        assert numbers_of(source, source.read(100)) == list(range(100))
        with pytest.raises(SamplesLost, match=r"lost about 37 samples per channel \(0\.037 s\)") as gap:
            source.read(100)
        assert gap.value.n_estimated == 37
        assert numbers_of(source, partial_of(gap.value)) == list(range(100, 150))
        assert numbers_of(source, source.read(100)) == list(range(187, 287))


def test_a_reader_that_comes_too_late_is_told_how_much_is_gone(sending: Sender) -> None:
    """The inlet holds ten seconds and then drops the oldest samples, in silence."""
    with listening(sending, (replace(EEG, resolution=1.0), TTL)) as source:
        sending.push(1)
        blocks, lost = [source.read(1)], []
        sending.push(25_000)
        try:
            while True:
                try:
                    blocks.append(source.read(100))
                except SamplesLost as gap:
                    blocks.append(partial_of(gap))
                    lost.append(gap.n_estimated or 0)
        except LinkLost as silence:
            blocks.append(partial_of(silence))
        numbers = numbers_of(source, np.concatenate(blocks, axis=1))
        assert numbers == sorted(set(numbers))
        assert numbers[-1] == 25_000
        assert len(numbers) + sum(lost) == pytest.approx(25_001, abs=10)  # as many as jitter_s may hide
        assert sum(lost) > 10_000


def test_samples_that_are_not_numbers_are_lost_samples(sending: Sender) -> None:
    with listening(sending) as source:
        sending.push(20)
        sending.push(5, values=[np.nan, np.inf, np.nan, np.nan, -np.inf])
        sending.lose(30)
        sending.push(20)
        with pytest.raises(SamplesLost, match="5 samples that are not numbers; 35 are lost") as gap:
            source.read(45)
        assert gap.value.n_estimated == 35
        assert numbers_of(source, partial_of(gap.value)) == list(range(20))
        assert numbers_of(source, source.read(20)) == list(range(55, 75))


def test_a_sender_that_sends_no_numbers_at_all_is_given_up(sending: Sender) -> None:
    with listening(sending) as source:
        sending.push(10)
        sending.push(500, values=np.nan)
        with pytest.raises(LinkLost, match="nothing usable") as lost:
            source.read(100)
        assert partial_of(lost.value).shape == (2, 10)


def test_values_of_channels_that_are_not_used_do_not_matter() -> None:
    one = sender(described=(("unused", "uV"), ("LA1", "uV"), ("Trig", "V")))
    with listening(one) as source:
        one.push(10, values=np.nan)
        assert source.read(10)[0].tolist() == [0] * 10


def test_stamps_that_go_back_end_the_segment_with_an_unknown_loss(sending: Sender) -> None:
    with listening(sending) as source:
        sending.push(50)
        sending.push(50, late_s=-3.0)
        with pytest.raises(SamplesLost, match="went back") as gap:
            source.read(100)
        assert gap.value.n_estimated is None
        assert source.read(50).shape == (2, 50)


def test_a_sender_that_ends_is_a_lost_link_with_the_samples_that_came(sending: Sender) -> None:
    with listening(sending) as source:
        sending.push(100)
        assert source.read(60).shape == (2, 60)
        ending = threading.Timer(0.1, sending.end)
        ending.start()
        with pytest.raises(LinkLost, match="has ended") as lost:
            source.read(100)
        ending.join(5.0)
        assert numbers_of(source, partial_of(lost.value)) == list(range(60, 100))
        with pytest.raises(LinkLost, match="has ended"):
            source.read(1)


def test_a_sender_that_falls_silent_is_given_up(sending: Sender) -> None:
    with listening(sending) as source:
        sending.push(10)
        with pytest.raises(LinkLost, match="nothing usable for 2 s") as lost:
            source.read(11)
        assert partial_of(lost.value).shape == (2, 10)


def test_a_stream_that_ended_is_had_back_when_its_sender_is(sending: Sender) -> None:
    with listening(sending) as source:
        assert isinstance(source, Reopenable)
        sending.end()
        with pytest.raises(LinkLost):
            source.read(1)
        again = Sender(sending.name)
        source.reopen()
        again.push(30)
        assert numbers_of(source, source.read(30)) == list(range(30))
        again.end()


def test_another_amplifier_under_the_same_name_is_not_taken_for_the_lost_one(
    sending: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("drivers.lsl_stream.FIND_S", 1.0)
    with listening(sending) as source:
        sending.end()
        with pytest.raises(LinkLost):
            source.read(1)
        other = Sender(sending.name, source_id="another amplifier")
        for _ in range(2):
            with pytest.raises(DeviceNotFound, match="from source 'amplifier'; present: "):
                source.reopen()
        other.end()


def test_a_stream_that_comes_back_changed_is_refused(sending: Sender) -> None:
    with listening(sending) as source:
        sending.end()
        with pytest.raises(LinkLost):
            source.read(1)
        changed = Sender(sending.name, described=(("LA1", "mV"), ("spare", ""), ("Trig", "V")))
        with pytest.raises(DeviceRefused, match="begin a new session"):
            source.reopen()
        changed.end()


def test_closing_from_another_thread_ends_a_read_that_waits(sending: Sender) -> None:
    with listening(sending) as source:
        closing = threading.Timer(0.1, source.close)
        closing.start()
        with pytest.raises(LinkLost, match="closed"):
            source.read(10)
        closing.join(5.0)
        with pytest.raises(LinkLost, match="closed"):
            source.reopen()


def test_it_says_who_sends_and_how_far_the_clocks_are_apart(sending: Sender) -> None:
    with listening(sending, jitter_s=0.004) as source:
        told = source.identify()
        assert sending.name in told
        assert "source 'amplifier'" in told
        assert "2 of 3 channels at 1000 Hz" in told
        assert "shorter than 4 ms" in told
        # Both ends are on this computer, and share its clock.
        assert source.clock_offset_s == pytest.approx(0.0, abs=0.01)
        assert "clock offset" in told


def test_a_rate_that_is_not_the_nominal_one_is_told_once(sending: Sender, caplog: pytest.LogCaptureFixture) -> None:
    sending.rate_hz = RATE_HZ * (1 - 8e-4)  # of the stamps; what it announces stays
    with listening(sending, jitter_s=0.005) as source:
        for _ in range(20):
            sending.push(1000)
            source.read(1000)
        assert source.measured_rate_hz == pytest.approx(999.2, abs=1e-3)
    told = [record.getMessage() for record in caplog.records if "ppm" in record.getMessage()]
    assert len(told) == 1
    assert "(-800 ppm)" in told[0]


class TestRefusals:
    def refused(self, match: str, inputs: Any = (EEG, TTL), rate_hz: float = RATE_HZ, **settings: Any) -> None:
        one = sender(**settings)
        with pytest.raises(DeviceRefused, match=match):
            LslSource(one.name, inputs, rate_hz, source_id="amplifier")
        one.end()

    def test_a_stream_without_a_rate_is_no_signal(self) -> None:
        one = sender(rate_hz=0.0)
        with pytest.raises(DeviceRefused, match="no regular rate"):
            LslSource(one.name, (EEG, TTL), RATE_HZ, source_id="amplifier")
        one.end()

    def test_another_rate_than_the_rig_file_has(self) -> None:
        self.refused("sends 1000 Hz, the rig file has rate_hz = 2000", rate_hz=2000.0)

    def test_a_label_that_is_not_there(self) -> None:
        self.refused("no channel with the label 'RA9'", (LslInput("RA9", "x", "eeg", "µV", 0.1), TTL))

    def test_a_label_that_is_there_twice(self) -> None:
        self.refused("2 channels with the label 'LA1'", described=(("LA1", "uV"), ("LA1", "uV"), ("Trig", "V")))

    def test_channels_that_are_not_described(self) -> None:
        self.refused("sends 3 channels and describes 1", described=(("LA1", "uV"),))

    def test_formats_that_are_not_read(self) -> None:
        self.refused("sends int32; int16, float32 and double64 are read", kind="int32")

    def test_a_scaling_factor_that_is_no_number(self) -> None:
        described = (("LA1", "uV", "a lot"), ("spare", ""), ("Trig", "V"))
        self.refused("'a lot' as its scaling factor", described=described)

    def test_two_streams_of_one_name_when_no_source_is_named(self) -> None:
        name = new_name()
        twins = [Sender(name, source_id=source_id) for source_id in ("left", "right")]
        with pytest.raises(DeviceRefused, match=r"2 streams are called .*'left' on .*'right' on"):
            LslSource(name, (EEG, TTL), RATE_HZ)
        for twin in twins:
            twin.end()


def test_a_stream_that_is_not_there_is_told_with_those_that_are(
    sending: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("drivers.lsl_stream.FIND_S", 0.2)
    with pytest.raises(DeviceNotFound, match=f"no LSL stream 'nobody'; present: .*'{sending.name}'"):
        LslSource("nobody", (EEG, TTL), RATE_HZ)


def test_without_the_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pylsl", None)
    with pytest.raises(DeviceNotFound, match=r"pip install 'kindle-eeg\[lsl\]'"):
        LslSource("any", (EEG, TTL), RATE_HZ)


class TestRigFile:
    def test_the_documented_rig_reads_its_stream(self) -> None:
        config = load_rig(str(RIG))
        assert isinstance(config.daq, LslConfig)
        name = new_name()
        one = Sender(name, described=(("A1", "microvolts"), ("Mon", "uA"), ("Trig", "V")))
        config = structs.replace(config, daq=structs.replace(config.daq, stream=name, rate_hz=RATE_HZ))
        with assembled(config, "R01") as instruments:
            instruments.source.start()
            one.push(100)
            assert instruments.source.read(100).shape == (3, 100)
            assert [channel.role for channel in instruments.source.channels] == [
                "eeg",
                "stimulus_ttl",
                "current_monitor",
            ]
        one.end()

    def rejected(self, tmp_path: Path, old: str, new: str, match: str) -> None:
        text = RIG.read_text("utf-8")
        assert old in text
        path = tmp_path / "rig.toml"
        path.write_text(text.replace(old, new), "utf-8")
        with pytest.raises(ConfigError, match=match):
            load_rig(str(path))

    def test_a_rig_without_a_ttl_in_the_stream_is_refused(self, tmp_path: Path) -> None:
        self.rejected(tmp_path, 'role = "stimulus_ttl"', 'role = "aux"', "a rig has one")

    def test_a_bench_cannot_stand_in_for_a_stream(self, tmp_path: Path) -> None:
        bench = '[bench]\nwhere = "in_process"\n\n[limits]'
        self.rejected(tmp_path, "[limits]", bench, "emulates an NI board")

    def test_an_output_of_a_board_needs_its_board_named(self, tmp_path: Path) -> None:
        text = RIG.read_text("utf-8")
        stimulator = text[text.index("[stimulator]") : text.index("[limits]")]
        self.rejected(tmp_path, stimulator, '[stimulator]\nkind = "manual"\n\n', "needs a device")


class TestListing:
    def test_the_streams_that_are_announced_are_listed_with_what_a_rig_file_needs(self, sending: Sender) -> None:
        done = CliRunner().invoke(kindle, ["devices", "--lsl"])
        assert done.exit_code == 0
        (told,) = [line for line in done.output.splitlines() if sending.name in line]
        assert "EEG, 3 channels, 1000 Hz, float32, source_id amplifier, on " in told

    def test_programs_read_the_same_as_json(self, sending: Sender) -> None:
        listed = json.loads(CliRunner().invoke(kindle, ["devices", "--lsl", "--json"]).output)["streams"]
        (told,) = [one for one in listed if one["name"] == sending.name]
        assert (told["kind"], told["n_channels"], told["rate_hz"], told["format"]) == ("EEG", 3, 1000.0, "float32")

    def test_without_the_library_it_is_said_how_to_get_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "pylsl", None)
        done = CliRunner().invoke(kindle, ["devices", "--lsl"])
        assert done.exit_code == 0
        assert "LSL streams need the extra lsl: pip install 'kindle-eeg[lsl]'" in done.output

    def test_the_network_is_not_asked_unless_told_to(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "pylsl", None)
        assert "not looked for; kindle devices --lsl asks the network" in CliRunner().invoke(kindle, ["devices"]).output
