"""`kindle devices`, `doctor`, `rig check` and `calibrate` on emulated instruments, as a person types them."""

import json
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner, Result
from msgspec import structs

from drivers.simulated.bench import Bench
from drivers.simulated.board import Board, Signal
from drivers.simulated.clock import DemandClock
from drivers.simulated.endpoints import TcpEndpoint
from drivers.simulated.nidaq_server import NidaqServer
from drivers.simulated.pulsepal_device import PulsePalDevice
from drivers.simulated.stimulators import Kind, Wiring, place
from kindle.calibration import calibration_path, read_calibration
from kindle.cli import kindle
from kindle.doctor import side_by_side
from kindle.errors import ConfigError, KindleError
from kindle.finding import Outcome
from kindle.prepared import prepare_threshold
from kindle.rig_check import checked
from kindle.rig_config import BenchConfig, load_rig
from kindle.study import open_study
from tests.bench import new_study
from tests.test_rigs import TODAY, emulated

SIMULATED = (Path(__file__).parents[1] / "kindle" / "rigs" / "simulated.toml").read_text(encoding="utf-8")
VOLTS = ("0.95", "2.375", "4.75", "7.125", "9.5")
"""Across 10 kohm at a tenth, a quarter, a half, three quarters and all of 950 uA."""


def typed(*words: object, answers: tuple[str, ...] = ()) -> Result:
    return CliRunner().invoke(kindle, [str(word) for word in words], input="".join(f"{line}\n" for line in answers))


@pytest.fixture
def rig(tmp_path: Path) -> Path:
    """A rig file of an emulated bench, not calibrated yet."""
    path = tmp_path / "room2.toml"
    path.write_text(re.sub(r"\[calibration\].*?\n\n", "", SIMULATED, flags=re.DOTALL), encoding="utf-8")
    assert "calibration" not in path.read_text(encoding="utf-8")
    return path


Wires = Callable[[Bench], Mapping[str, Signal]]


def _with_three_volts(wires: Wires) -> Wires:
    def wired(bench: Bench) -> Mapping[str, Signal]:
        return {**wires(bench), "Dev1/ai7": lambda start_us, rate_hz, first, n: np.full(n, 3.0)}

    return wired


class Silent:
    """Something at the end of a serial line that says nothing."""

    def feed(self, data: bytes, now_us: int) -> bytes:
        return b""

    def poll(self, now_us: int) -> bytes:
        return b""


class TestDevices:
    def test_without_a_driver_it_says_so_and_lists_the_ports(self) -> None:
        done = typed("devices")
        assert done.exit_code == 0
        assert "the NI-DAQmx driver is not installed on this computer" in done.output
        assert "serial ports" in done.output
        assert "opening" not in done.output

    def test_the_boards_of_a_device_server_are_listed_without_opening_anything(self) -> None:
        clock = DemandClock()
        with NidaqServer([Board(clock, {}, serial_number=0x01A2B3C4)]) as server:
            done = typed("devices", "--remote", server.address)
        assert "Dev1  USB-6212" in done.output
        assert "serial number 01A2B3C4" in done.output

    def test_what_answers_is_asked_only_at_the_ports_that_were_named(self) -> None:
        device = PulsePalDevice()
        clock = DemandClock()
        with TcpEndpoint(device, clock.now_us) as wire:
            typed("devices")
            assert not device.log
            done = typed("devices", "--ask", wire.address)
        assert f"opening {wire.address}" in done.output
        assert f"{wire.address}  Pulse Pal, firmware number 21" in done.output
        assert {entry.opcode for entry in device.log} == {72}

    @pytest.mark.parametrize(("kind", "model"), [("stimjim", "StimJim"), ("am4100", "A-M Systems 4100, revision ")])
    def test_each_stimulator_with_a_port_is_recognised(self, kind: Kind, model: str) -> None:
        clock = DemandClock()
        placed = place(kind, Board(clock), Wiring())
        assert placed.line is not None
        with TcpEndpoint(placed.line, clock.now_us) as wire:
            done = typed("devices", "--ask", wire.address)
        assert f"{wire.address}  {model}" in done.output
        assert not placed.output.output(0, clock.now_us() + 1_000_000).ua.any()

    def test_a_port_where_nothing_known_answers_is_said_to_be_so(self) -> None:
        clock = DemandClock()
        with TcpEndpoint(Silent(), clock.now_us) as wire:
            done = typed("devices", "--ask", wire.address)
        assert done.exit_code == 0
        assert "no stimulator that kindle knows answers there" in done.output

    def test_a_port_that_cannot_be_opened_is_one_sentence(self) -> None:
        done = typed("devices", "--ask", "/dev/there-is-no-such-port", "--json")
        assert isinstance(done.exception, KindleError)
        assert "/dev/there-is-no-such-port cannot be opened" in str(done.exception)
        assert json.loads(done.output)["answers"][0]["model"] == ""


class TestDoctor:
    def test_a_sound_installation_passes(self, tmp_path: Path) -> None:
        done = typed("doctor", "--folder", tmp_path, "--json")
        assert done.exit_code == 0, done.exception
        findings = {finding["item"]: finding for finding in json.loads(done.output)["findings"]}
        assert "numpy" in findings["versions"]["text"]
        assert "SQLite" in findings["journal"]["text"]
        assert findings["NI driver"]["outcome"] == "note"
        assert "can be written to" in findings["folder"]["text"]

    def test_a_folder_that_is_none_fails_and_says_what_to_do(self, tmp_path: Path) -> None:
        done = typed("doctor", "--folder", tmp_path / "nowhere")
        assert str(done.exception) == "to be put right: folder; what to do stands above"
        assert "nowhere is no folder; make it, or name another" in done.output

    def test_a_disk_that_is_nearly_full_fails(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        nearly_full = SimpleNamespace(total=10**12, used=10**12 - 10**8, free=10**8)
        monkeypatch.setattr("shutil.disk_usage", lambda folder: nearly_full)
        done = typed("doctor", "--folder", tmp_path)
        assert done.exit_code == 1
        assert "0.1 GB free, 0 h of 8 channels at 5 kHz; free space before any session" in done.output

    def test_another_package_of_the_same_name_is_found(self, tmp_path: Path) -> None:
        (tmp_path / "drivers").mkdir()
        (tmp_path / "drivers" / "__init__.py").touch()
        (tmp_path / "detectors.py").touch()
        found = [f for f in side_by_side([*sys.path, str(tmp_path)]) if f.outcome is Outcome.FAILED]
        assert ["drivers" in f.text for f in found] == [True, False]
        assert all("install kindle-eeg in an environment of its own" in f.text for f in found)

    def test_a_mere_folder_of_that_name_is_no_package(self, tmp_path: Path) -> None:
        (tmp_path / "drivers").mkdir()
        assert [f.outcome for f in side_by_side([str(tmp_path)])] == [Outcome.OK]


class TestRigCheck:
    def test_a_fit_rig_passes_item_by_item(self) -> None:
        done = typed("rig", "check", "simulated", "--json")
        assert done.exit_code == 0, done.exception
        findings = {finding["item"]: finding for finding in json.loads(done.output)["findings"]}
        assert list(findings) == [
            "rig file",
            "calibration",
            "stimulator",
            "acquisition",
            "sampling",
            "EEG",
            "Ground",
            "TTL",
            "Current",
            "train",
            "stop",
        ]
        assert "Pulse Pal 2, firmware 2.0.1" in findings["stimulator"]["text"]
        assert findings["sampling"]["text"].startswith("20000 samples of 4 channels at 2000 Hz")
        assert findings["train"]["outcome"] == "note"

    def test_a_train_is_fired_only_once_the_resistor_is_confirmed(self) -> None:
        refused = typed("rig", "check", "simulated", "--seconds", 1, "--fire", 100, answers=("yes",))
        assert str(refused.exception) == "nothing was fired: the resistor was not confirmed"
        done = typed("rig", "check", "simulated", "--seconds", 1, "--fire", 100, answers=("resistor",))
        assert done.exit_code == 0, done.exception
        assert "100 uA asked, 100 uA quantised, 100 uA measured; 20 pulses asked, 20 counted" in done.output
        assert "the stimulator confirms that it has stopped" in done.output

    def test_a_train_above_a_limit_is_refused(self) -> None:
        done = typed("rig", "check", "simulated", "--seconds", 1, "--fire", 951, answers=("resistor",))
        assert "max_current_ua allows 950 uA" in done.output
        assert done.exit_code == 1

    @pytest.mark.parametrize(
        ("kind", "words"),
        [
            ("stimjim", r"99\.97 uA quantised, not measured, .* by the stimulator's own measurement"),
            ("am4100", r"100 uA quantised, 100 uA measured"),
            ("isolator", r"100 uA quantised, 100 uA measured"),
            ("counter", r"100 uA measured; 20 pulses asked, 20 counted; net charge 2 uC"),
            ("manual", r"100 uA quantised, 100 uA measured"),
        ],
    )
    def test_every_kind_of_rig_can_be_checked_with_a_train(self, kind: str, words: str) -> None:
        rig = emulated(kind, BenchConfig("in_process"))
        findings = list(checked(rig, TODAY, seconds=1.0, fire_ua=100.0))
        assert not [f for f in findings if f.outcome is Outcome.FAILED]
        (train,) = [f for f in findings if f.item == "train"]
        assert re.search(words, train.text), train.text

    @pytest.mark.parametrize(
        ("role", "changes", "item", "words"),
        [
            ("eeg", {"physical": "ai1"}, "EEG", "the signal is flat; check the amplifier and its wire"),
            ("eeg", {"clips_at_v": 0.05}, "EEG", "of the samples are at the rail; check electrode, gain and range"),
            ("stimulus_ttl", {"physical": "ai7", "unit": ""}, "TTL", "the TTL is not low at rest"),
            ("current_monitor", {"physical": "ai7"}, "Current", "current is flowing, or the monitor has to be zeroed"),
            ("current_monitor", {"physical": "ai1"}, "train", "the current monitor shows no current where 100 uA"),
        ],
        ids=["flat", "at the rail", "TTL high", "current at rest", "no current"],
    )
    def test_a_wrong_signal_fails_with_what_to_do(
        self, role: str, changes: dict[str, object], item: str, words: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """At ai7 stand 3 V."""
        monkeypatch.setattr(Bench, "wires", _with_three_volts(Bench.wires))
        config = load_rig("simulated")
        inputs = [structs.replace(one, **changes) if one.role == role else one for one in config.daq.inputs]
        wrong = structs.replace(config, daq=structs.replace(config.daq, inputs=tuple(inputs)))
        findings = list(checked(wrong, TODAY, seconds=1.0, fire_ua=100.0 if item == "train" else None))
        (failed,) = [f for f in findings if f.outcome is Outcome.FAILED]
        assert failed.item == item
        assert words in failed.text

    def test_a_rig_that_cannot_be_opened_fails_with_the_reason(self, tmp_path: Path) -> None:
        path = tmp_path / "rig.toml"
        docs = Path(__file__).parents[1] / "docs" / "rigs" / "pulsepal_nidaq.toml"
        path.write_text(docs.read_text(encoding="utf-8").replace('"COM5"', '"/dev/there-is-no-such-port"'))
        done = typed("rig", "check", path, "--seconds", 1)
        assert done.exit_code == 1
        assert str(done.exception) == "to be put right: calibration, rig; what to do stands above"
        assert re.search(r"FAILED +rig +.*(driver is not installed|cannot be opened)", done.output)


class TestCalibrate:
    def test_a_rig_is_measured_level_by_level_and_may_then_be_used(self, rig: Path, tmp_path: Path) -> None:
        study = new_study(tmp_path / "study")
        with open_study(study) as opened, pytest.raises(ConfigError, match="has no calibration of its isolator"):
            prepare_threshold(opened, "R01", load_rig(str(rig)))
        done = typed("calibrate", rig, "--load-ohm", 10_000, "--author", "A. Person", answers=("resistor", *VOLTS))
        assert done.exit_code == 0, done.exception
        assert "fired 9.5 V, nominally 950 uA: about 9.5 V expected" in done.output
        assert "the monitor showed 950 uA" in done.output
        measured = read_calibration(rig)
        assert measured is not None
        assert measured.ua_per_v == pytest.approx(100, rel=1e-3)
        assert (measured.author, measured.load_ohm, len(measured.levels)) == ("A. Person", 10_000, 5)
        assert "Pulse Pal 2" in measured.stimulator
        with open_study(study) as opened:
            assert prepare_threshold(opened, "R01", load_rig(str(rig))).calibration == measured

    def test_what_was_measured_is_what_sessions_command(self, rig: Path) -> None:
        """An isolator that makes 5 % more of a volt gets 5 % less voltage."""
        more = tuple(str(1.05 * float(volts)) for volts in VOLTS)
        assert (
            typed("calibrate", rig, "--load-ohm", 10_000, "--author", "A", answers=("resistor", *more)).exit_code == 0
        )
        assert load_rig(str(rig)).ua_per_v == pytest.approx(105, rel=1e-3)
        done = typed("rig", "check", rig, "--seconds", 1, "--fire", 105, answers=("resistor",))
        assert re.search(r"105 uA asked, 105 uA quantised, (100(\.\d+)?|99\.\d+) uA measured", done.output)

    @pytest.mark.parametrize(
        ("volts", "why"),
        [
            (("0.95", "2.375", "4.75", "7.125", "7.2"), "off the line through all levels"),
            (("1.35", "2.775", "5.15", "7.525", "9.9"), "uA at 0 V, more than 2%"),
            (("0.095", "0.2375", "0.475", "0.7125", "0.95"), "check its range switch and the resistor"),
        ],
        ids=["out of voltage", "offset", "another range"],
    )
    def test_readings_that_are_no_calibration_are_refused(self, rig: Path, volts: tuple[str, ...], why: str) -> None:
        done = typed("calibrate", rig, "--load-ohm", 10_000, "--author", "A", answers=("resistor", *volts))
        assert isinstance(done.exception, ConfigError)
        assert why in str(done.exception)
        assert not calibration_path(rig).exists()

    def test_nothing_fires_before_the_resistor_is_confirmed(self, rig: Path) -> None:
        done = typed("calibrate", rig, "--load-ohm", 10_000, "--author", "A", answers=("rat",))
        assert str(done.exception) == "nothing was fired: the resistor was not confirmed"

    def test_a_built_in_rig_has_its_own(self) -> None:
        done = typed("calibrate", "simulated", "--load-ohm", 10_000, "--author", "A")
        assert "carries its calibration" in str(done.exception)
