"""Rig files: those that the documentation offers, what they may not say, and a whole session on each kind of rig."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import pytest
from any_rig import KINDS, MEASURED, RIGS, documented, quick
from msgspec import structs

from drivers.interface import DeviceRefused, PulseTrain
from drivers.simulated.bench import Bench
from drivers.simulated.board import Board
from drivers.simulated.board_port import BoardPort
from drivers.simulated.clock import DemandClock
from drivers.simulated.hand_set import HandSetStimulator
from drivers.simulated.rat import SimulatedRat
from drivers.simulated.source import BoardSource
from kindle.assembly import Instruments, assembled, inputs_of
from kindle.calibration import Calibration, write_calibration
from kindle.dial_question import DialQuestion
from kindle.errors import ConfigError
from kindle.exchange import Trial
from kindle.experimenter import Answer, NobodyThere, Unattended
from kindle.prepared import prepare_threshold
from kindle.progress import unheard
from kindle.protocols.threshold import ThresholdFound
from kindle.rig_config import BUILT_IN, BenchConfig, RigConfig, load_rig, require_calibration
from kindle.session import run_threshold
from kindle.session_view import SessionView
from kindle.stimulator_config import VoltageCommanded
from kindle.stimulators import Reach, stimulator_of
from kindle.study import open_study
from tests.bench import STUDY, new_study

TODAY = MEASURED.date
THRESHOLD_UA = 57.0


def emulated(kind: str, bench: BenchConfig) -> RigConfig:
    return structs.replace(quick(kind), bench=bench)


def session_on(config: RigConfig, folder: Path) -> SessionView:
    shape = "monophasic" if "counter" in type(config.stimulator).__name__.lower() else "biphasic"
    with open_study(new_study(folder, STUDY.replace("biphasic", shape))) as study:
        prepared = prepare_threshold(study, "R01", config)
        with assembled(config, "R01") as instruments:
            run_threshold(study, prepared, instruments, Unattended(), unheard)
        (view,) = study.sessions()
        return view


def check_found(view: SessionView) -> None:
    """The planted threshold, from trains that were delivered as asked and measured to be."""
    assert isinstance(view.outcome, ThresholdFound)
    assert view.outcome.above_ua < THRESHOLD_UA <= view.outcome.rung_ua
    for trial in view.trials:
        assert isinstance(trial, Trial), trial
        assert trial.delivered.n_pulses == trial.train.n_pulses
        assert trial.delivered.current_ua == pytest.approx(trial.train.current_ua, rel=0.02)


class TestEachKind:
    @pytest.mark.parametrize("kind", KINDS)
    def test_a_whole_threshold_session_runs_inside_this_process(self, kind: str, tmp_path: Path) -> None:
        view = session_on(emulated(kind, BenchConfig("in_process", threshold_ua=THRESHOLD_UA)), tmp_path / "study")
        check_found(view)

    @pytest.mark.parametrize("kind", ["stimjim", "isolator", "manual"])
    def test_a_whole_threshold_session_runs_over_the_real_wires(self, kind: str, tmp_path: Path) -> None:
        """The unmodified nidaqmx client and pyserial; the bench, in a process of its own, logs what the rat got."""
        log = tmp_path / "heard.jsonl"
        bench = BenchConfig("process", threshold_ua=THRESHOLD_UA, log=str(log))
        view = session_on(emulated(kind, bench), tmp_path / "study")
        check_found(view)
        heard = [json.loads(line) for line in log.read_text().splitlines()]
        assert len(heard) == len(view.trials)
        assert all(abs(train["net_charge_uc"]) < 1e-6 * train["current_ua"] * 1000 for train in heard)

    def test_a_stimulator_that_measures_itself_says_so_in_the_journal(self, tmp_path: Path) -> None:
        view = session_on(emulated("stimjim", BenchConfig("in_process", threshold_ua=THRESHOLD_UA)), tmp_path / "study")
        trial = view.trials[0]
        assert isinstance(trial, Trial)
        assert trial.measured.reported is not None
        assert trial.measured.reported.n_pulses == trial.train.n_pulses


class AtTheDials(Unattended):
    """Sets what the question names, some seconds after it was asked, and types what the dial shows."""

    def __init__(self, hand: HandSetStimulator, shows: Callable[[float], float]) -> None:
        self.hand = hand
        self.shows = shows
        self.asked = 0

    def ask(self, text: str, choices: tuple[str, ...]) -> Answer:
        named = re.match(r"Set the stimulator to ([\d.]+) uA, pulses of two phases of 1000 us, 50 Hz for 1 s", text)
        assert named
        self.asked += 1
        polls = iter([None, None, None])
        current_ua = float(named[1])

        def answer() -> str | None:
            for _ in polls:
                return None
            self.hand.set(PulseTrain(self.shows(current_ua), 1000.0, 0.0, 50.0, 1.0))
            return repr(self.shows(current_ua))

        return answer


@contextmanager
def by_hand(config: RigConfig) -> Iterator[tuple[Instruments, HandSetStimulator]]:
    """A rig whose stimulator asks a person, not the emulated hand, for its dials."""
    clock = DemandClock()
    board = Board(clock)
    hand = HandSetStimulator(board, "gate")
    board.connect(Bench(SimulatedRat(THRESHOLD_UA, 7, config.daq.rate_hz), hand).wires())
    dial = DialQuestion()
    stimulator = stimulator_of(config, Reach(dial, port=lambda pins: BoardPort(board, pins)))
    source = BoardSource(board, inputs_of(config), config.daq.rate_hz)
    try:
        yield Instruments(source, stimulator, config.block, dial), hand
    finally:
        stimulator.close()
        source.close()


class TestDials:
    def test_the_person_is_asked_before_each_train_while_the_signal_is_read_on(self, tmp_path: Path) -> None:
        config = emulated("manual", BenchConfig("in_process"))
        with open_study(new_study(tmp_path / "study")) as study, by_hand(config) as (instruments, hand):
            person = AtTheDials(hand, lambda asked_ua: asked_ua)
            run_threshold(study, prepare_threshold(study, "R01", config), instruments, person, unheard)
            (view,) = study.sessions()
        check_found(view)
        assert person.asked == len(view.trials)
        three_reads = 3 * config.block
        for exchange, asked_at in zip(view.exchanges, view.asked_samples, strict=True):
            if isinstance(exchange.reply, Trial):
                assert exchange.reply.measured.onset_sample - asked_at >= three_reads

    def test_a_dial_that_shows_something_else_arms_nothing(self, tmp_path: Path) -> None:
        config = emulated("manual", BenchConfig("in_process"))
        with open_study(new_study(tmp_path / "study")) as study, by_hand(config) as (instruments, hand):
            person = AtTheDials(hand, lambda asked_ua: 2 * asked_ua)
            with pytest.raises(DeviceRefused, match="train asks 20 uA and the stimulator stands at 40 uA"):
                run_threshold(study, prepare_threshold(study, "R01", config), instruments, person, unheard)
            assert not hand.output(0, 120_000_000).ua.any()

    def test_where_nobody_is_there_nothing_is_armed(self, tmp_path: Path) -> None:
        config = emulated("manual", BenchConfig("in_process"))
        with open_study(new_study(tmp_path / "study")) as study, by_hand(config) as (instruments, hand):
            with pytest.raises(NobodyThere, match="nobody is at the rig to answer: Set the stimulator to 20 uA"):
                run_threshold(study, prepare_threshold(study, "R01", config), instruments, Unattended(), unheard)
            assert not hand.output(0, 120_000_000).ua.any()


class TestFiles:
    @pytest.mark.parametrize("path", sorted(RIGS.glob("*.toml")), ids=lambda path: path.stem)
    def test_every_documented_rig_loads_and_is_described(self, path: Path) -> None:
        config = load_rig(str(path))
        assert config.bench is None
        assert path.name in (RIGS / "README.md").read_text(encoding="utf-8")

    def test_there_is_one_for_each_kind(self) -> None:
        assert {path.stem for path in RIGS.glob("*.toml")} >= {f"{kind}_nidaq" for kind in KINDS}

    def test_a_kind_that_does_not_exist_is_told_with_those_that_do(self, tmp_path: Path) -> None:
        path = tmp_path / "rig.toml"
        text = (RIGS / "pulsepal_nidaq.toml").read_text(encoding="utf-8")
        path.write_text(text.replace('kind = "pulsepal"', 'kind = "stimjam"'), encoding="utf-8")
        kinds = ", ".join(f'"{kind}"' for kind in sorted(KINDS))
        told = f'kind under [stimulator] takes one of {kinds}, not the text "stimjam"'
        with pytest.raises(ConfigError, match=re.escape(told)):
            load_rig(str(path))

    def test_a_key_of_another_kind_is_told_with_those_of_this_one(self, tmp_path: Path) -> None:
        path = tmp_path / "rig.toml"
        text = (RIGS / "stimjim_nidaq.toml").read_text(encoding="utf-8")
        path.write_text(text.replace("[stimulator]", "[stimulator]\nua_per_v = 100.0"), encoding="utf-8")
        told = "unknown key `ua_per_v` under [stimulator]; the keys there are: address, channel, positive_is_cathodic"
        with pytest.raises(ConfigError, match=re.escape(told)):
            load_rig(str(path))

    @pytest.mark.parametrize("kind", ["pulsepal", "stimjim", "am4100"])
    def test_an_instrument_with_a_port_needs_its_address(self, kind: str, tmp_path: Path) -> None:
        path = tmp_path / "rig.toml"
        text = (RIGS / f"{kind}_nidaq.toml").read_text(encoding="utf-8")
        path.write_text(re.sub(r"(?m)^address = .*$", "", text), encoding="utf-8")
        with pytest.raises(ConfigError, match="has no address; give the serial port"):
            load_rig(str(path))


class TestCalibrationInForce:
    @pytest.mark.parametrize("kind", KINDS)
    def test_only_a_rig_whose_current_comes_from_a_voltage_needs_one(self, kind: str) -> None:
        config = documented(kind)
        if isinstance(config.stimulator, VoltageCommanded):
            with pytest.raises(ConfigError, match=r"has no calibration of its isolator.*kindle calibrate"):
                require_calibration(config, TODAY)
        else:
            require_calibration(config, TODAY)

    @pytest.mark.parametrize(
        ("calibration", "refused"),
        [
            (MEASURED, ""),
            (structs.replace(MEASURED, date=TODAY - timedelta(days=365)), ""),
            (structs.replace(MEASURED, date=TODAY - timedelta(days=366)), "366 days ago, and holds for 365"),
            (structs.replace(MEASURED, date=TODAY + timedelta(days=2)), "yet to come; check the computer's clock"),
            (structs.replace(MEASURED, ua_per_v=119.0), ""),
            (structs.replace(MEASURED, ua_per_v=1000.0), "check its range switch and the resistor"),
        ],
        ids=["fresh", "a year", "stale", "from the future", "near", "another range"],
    )
    def test_one_that_does_not_hold_any_more_is_refused(self, calibration: Calibration, refused: str) -> None:
        config = structs.replace(documented("isolator"), calibration=calibration)
        if refused:
            with pytest.raises(ConfigError, match=refused):
                require_calibration(config, TODAY)
        else:
            require_calibration(config, TODAY)

    @pytest.mark.parametrize("name", BUILT_IN)
    def test_built_in_rigs_carry_one_that_does_not_age(self, name: str) -> None:
        require_calibration(load_rig(name), date(2099, 1, 1))

    def test_the_file_beside_the_rig_is_read_and_its_factor_is_in_force(self, tmp_path: Path) -> None:
        path = tmp_path / "rig.toml"
        path.write_text((RIGS / "pulsepal_nidaq.toml").read_text(encoding="utf-8"), encoding="utf-8")
        assert load_rig(str(path)).ua_per_v == 100.0
        written = write_calibration(path, structs.replace(MEASURED, ua_per_v=97.5))
        assert written.name == "rig.calibration.toml"
        assert load_rig(str(path)).calibration == structs.replace(MEASURED, ua_per_v=97.5)
        assert load_rig(str(path)).ua_per_v == 97.5

    def test_a_calibration_file_that_was_garbled_is_told(self, tmp_path: Path) -> None:
        path = tmp_path / "rig.toml"
        path.write_text((RIGS / "pulsepal_nidaq.toml").read_text(encoding="utf-8"), encoding="utf-8")
        written = write_calibration(path, MEASURED)
        written.write_text(written.read_text().replace("100.0", '"100"', 1))
        with pytest.raises(ConfigError, match=r"rig\.calibration\.toml: ua_per_v takes a number above 0"):
            load_rig(str(path))


@pytest.mark.parametrize(("typed", "shown_ua"), [("200", 200.0), ("199.5", 199.5), ("", 0.0), ("inf", 0.0)])
def test_what_a_person_types_of_a_dial_is_a_number_or_not_set(typed: str, shown_ua: float) -> None:
    asked = []

    def answer(text: str) -> str:
        asked.append(text)
        return typed

    dial = DialQuestion()
    dial.answered_by(answer)
    assert dial(PulseTrain(200.0, 1000.0, 0.0, 60.0, 1.0)) == shown_ua
    assert asked == [
        "Set the stimulator to 200 uA, pulses of two phases of 1000 us, 60 Hz for 1 s. What does its current dial "
        "show, in uA (0: not set)?"
    ]
