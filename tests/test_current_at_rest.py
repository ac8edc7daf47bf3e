"""Current that flows before any train, and between trains: from the first block on it is no offset of the monitor."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from altered import altered
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from moments import RATE_HZ

from drivers.interface import Block, DeliveredTrain
from kindle.delivery import MonitorTrace, Silence
from kindle.errors import ConfigError
from kindle.protocols.threshold import ThresholdFound
from kindle.rig import StrayCurrent
from kindle.rig_config import load_rig
from kindle.study import open_study
from kindle.verification import verify_study
from tests.bench import bench, config, new_study, session_of, threshold
from tests.test_delivery import DELIVERED

MONITOR_ROW = 3
UA_A_COUNT = 10.5 / 32768 * 100.0
"""Of the monitor of the built-in rigs."""

Alter = Callable[[Block, int], None]

RIGS = Path(__file__).parents[1] / "docs" / "rigs"


def steady(current_ua: float, since_s: float = 0.0) -> Alter:
    def alter(block: Block, first: int) -> None:
        at = np.arange(first, first + block.shape[1])
        block[MONITOR_ROW] += np.where(at >= since_s * RATE_HZ, round(current_ua / UA_A_COUNT), 0).astype(np.int16)

    return alter


def somebody_elses_train(current_ua: float, pulse_hz: float = 50.0, since_s: float = 0.0) -> Alter:
    """Biphasic pulses of 1 ms a phase, all the time."""

    def alter(block: Block, first: int) -> None:
        at_s = np.arange(first, first + block.shape[1]) / RATE_HZ
        in_period_s = at_s % (1 / pulse_hz)
        sign = np.where(in_period_s < 0.001, -1, np.where(in_period_s < 0.002, 1, 0)) * (at_s >= since_s)
        block[MONITOR_ROW] += (sign * round(current_ua / UA_A_COUNT)).astype(np.int16)

    return alter


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return new_study(tmp_path / "study")


class TestInASession:
    @pytest.mark.parametrize(
        ("alter", "shown"),
        [(steady(6.0), "5.99"), (steady(-32.0), "32"), (somebody_elses_train(20.0), "20"), (steady(8.0, 7.0), "8")],
        ids=["a little", "the other way", "pulses", "in the baseline"],
    )
    def test_current_before_the_first_train_ends_the_session_before_it(
        self, study: Path, alter: Alter, shown: str
    ) -> None:
        with bench(config()) as rig:
            with pytest.raises(
                StrayCurrent, match=rf"shows {shown}\S* uA while no train is going on, where at most 5 uA"
            ):
                threshold(study, config(), altered(rig.instruments, alter))
            assert rig.rat.heard == []
        view = session_of(study)
        assert view.trains == []
        assert view.interruptions[0].stray_current
        assert view.interruptions[0].stimulator_stop == "confirmed"
        assert verify_study(study) == []

    def test_the_session_goes_on_once_the_current_is_off_and_its_lock_out_is_over(self, study: Path) -> None:
        with bench(config(), threshold_ua=15.0) as rig, pytest.raises(StrayCurrent):
            threshold(study, config(), altered(rig.instruments, steady(30.0)))
        with bench(config(), threshold_ua=15.0) as rig:
            assert threshold(study, config(), rig.instruments).outcome == ThresholdFound(0.0, 20.0)
            assert rig.rat.heard[0].start_us > 60_000_000, "current may have evoked what nobody watched"

    def test_what_can_be_an_offset_is_one(self, study: Path) -> None:
        with bench(config(), threshold_ua=15.0) as rig:
            offset = altered(rig.instruments, steady(4.0))
            assert threshold(study, config(), offset).outcome == ThresholdFound(0.0, 20.0)

    def test_the_limit_is_the_rigs_own(self, study: Path) -> None:
        with bench(config(), threshold_ua=15.0) as rig:
            tighter = replace(altered(rig.instruments, steady(4.0)), rest_limit_ua=2.0)
            with pytest.raises(StrayCurrent, match="where at most 2 uA are its offset"):
                threshold(study, config(), tighter)

    def test_current_too_weak_for_the_train_before_it_is_seen_between_trains(self, study: Path) -> None:
        """Half of a train's 20 uA may be interference; 8 uA all the time are none."""
        with bench(config()) as rig:
            with pytest.raises(StrayCurrent, match=r"shows 8\S* uA"):
                threshold(study, config(), altered(rig.instruments, steady(8.0, 30.0)))
            assert len(rig.rat.heard) == 1

    def test_the_command_says_so_in_one_sentence_and_leaves_with_1(
        self, study: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from drivers.simulated.bench import Bench
        from kindle.cli import kindle

        monitor = Bench.monitor_volts
        monkeypatch.setattr(Bench, "monitor_volts", lambda *args: monitor(*args) + 0.3)
        done = CliRunner().invoke(kindle, ["run", "threshold", "--study", str(study), "--animal", "R01"])
        assert done.exit_code == 1
        assert "shows 29.99 uA while no train is going on, where at most 5 uA are its offset" in str(done.exception)
        assert "check its output before going on" in str(done.exception)
        with open_study(study) as opened:
            assert opened.unfinished("R01") is not None


@st.composite
def silences(draw: st.DrawFn) -> Silence:
    """At rest from the beginning, and after any train; the monitor's own offset within what it may be."""
    most_ua = draw(st.floats(1.0, 50.0))
    if draw(st.booleans()):
        return Silence(0, most_ua)
    offset_ua = draw(st.floats(-most_ua, most_ua))
    quiet = MonitorTrace(0, np.zeros(0), draw(st.floats(0.0, 100.0)), offset_ua)
    delivered: DeliveredTrain = DELIVERED
    return Silence.after(0, quiet, delivered, 5000.0, most_ua=most_ua)


@given(silences(), st.floats(1.01, 100.0), st.sampled_from((-1.0, 1.0)), st.sampled_from((1000.0, 2000.0, 10_000.0)))
def test_no_silence_lets_current_beyond_its_limit_pass(
    silence: Silence, times: float, sign: float, rate_hz: float
) -> None:
    """Whatever was seen before: neither a large offset nor a noisy monitor nor a strong train widens it."""
    for share in (1.0, 0.05, 0.005):
        monitor_ua = np.zeros(round(rate_hz))
        monitor_ua[: max(2, round(share * rate_hz))] = sign * times * silence.most_ua
        assert silence.broken_by(monitor_ua, rate_hz)


@given(st.floats(1.0, 50.0), st.data())
@settings(max_examples=50)
def test_noise_and_offset_within_the_limit_are_never_current(most_ua: float, data: st.DataObject) -> None:
    offset_ua = data.draw(st.floats(-most_ua, most_ua))
    noise_ua = most_ua - abs(offset_ua)
    monitor_ua = offset_ua + np.random.default_rng(1).uniform(-noise_ua, noise_ua, 2000)
    assert Silence(0, most_ua).broken_by(monitor_ua * 0.999, 2000.0) == ""


class TestInTheRigsFile:
    def test_a_monitor_has_its_limit_from_the_file_or_the_default(self, tmp_path: Path) -> None:
        text = (RIGS / "pulsepal_nidaq.toml").read_text(encoding="utf-8")
        given_one = text.replace('role = "current_monitor"', 'role = "current_monitor"\nrest_limit_ua = 2.5')
        assert load_rig(str(_file(tmp_path, text))).rest_limit_ua == 5.0
        assert load_rig(str(_file(tmp_path, given_one))).rest_limit_ua == 2.5

    @pytest.mark.parametrize(
        ("old", "new", "words"),
        [
            ('role = "eeg"', 'role = "eeg"\nrest_limit_ua = 2.0', "only the current_monitor can have one"),
            ('role = "current_monitor"\nunit = "µA"', 'role = "current_monitor"\nunit = "mA"', 'it must be "µA"'),
            ('role = "current_monitor"', 'role = "current_monitor"\nrest_limit_ua = 0.0', "rest_limit_ua"),
            ('role = "current_monitor"', 'role = "current_monitor"\nrest_limit_ua = 51.0', "rest_limit_ua"),
        ],
        ids=["of another input", "milliamperes", "none", "too much"],
    )
    def test_a_limit_that_protects_nothing_is_refused(self, tmp_path: Path, old: str, new: str, words: str) -> None:
        text = (RIGS / "pulsepal_nidaq.toml").read_text(encoding="utf-8")
        assert old in text
        with pytest.raises(ConfigError, match=words):
            load_rig(str(_file(tmp_path, text.replace(old, new))))


def _file(folder: Path, text: str) -> Path:
    path = folder / "rig.toml"
    path.write_text(text, encoding="utf-8")
    return path
