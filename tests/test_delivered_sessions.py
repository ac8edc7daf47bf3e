"""Sessions in which current, charge or an old journal is not what it should be: seen, said, and never a none."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest
from msgspec import structs

from drivers.interface import PulseTrain
from drivers.simulated.bench import Bench
from drivers.simulated.board import Board
from drivers.simulated.clock import DemandClock
from drivers.simulated.endpoints import MemoryWire
from drivers.simulated.isolator import Isolator, PulsePalIntoIsolator
from drivers.simulated.pulsepal_device import PulsePalDevice
from drivers.simulated.rat import SimulatedRat
from drivers.simulated.source import BoardSource
from kindle.assembly import Instruments, inputs_of
from kindle.dummy_load import fired_into_dummy
from kindle.errors import UnsafeStimulus
from kindle.exchange import Trial, VoidTrial
from kindle.protocols.threshold import Aborted
from kindle.report import write_session_report
from kindle.rows import SessionStarted, decode
from kindle.stimulators import Reach, stimulator_of
from kindle.study import open_study
from tests.bench import GoesOn, bench, config, new_study, threshold

RIG = config()


@contextmanager
def behind(isolator: Isolator) -> Iterator[Instruments]:
    """The simulated rig with this isolator behind its Pulse Pal, and a rat that nothing wakes."""
    clock = DemandClock()
    device = PulsePalDevice()
    board = Board(clock)
    board.connect(Bench(SimulatedRat(1e4, 7, RIG.daq.rate_hz), PulsePalIntoIsolator(device, isolator)).wires())
    source = BoardSource(board, inputs_of(RIG), RIG.daq.rate_hz)
    stimulator = stimulator_of(RIG, Reach(lambda train: 0.0, "in-process", wire=MemoryWire(device, clock.now_us)))
    try:
        yield Instruments(source, stimulator, RIG.block)
    finally:
        stimulator.close()
        source.close()


def test_an_isolator_that_runs_out_of_voltage_makes_void_trials_that_say_so(tmp_path: Path) -> None:
    """1 V through 20 kohm are 50 uA, whatever is commanded."""
    study = new_study(tmp_path / "study")
    with behind(Isolator(compliance_v=1.0)) as instruments:
        finished = threshold(study, RIG, instruments, experimenter=GoesOn())
    with open_study(study) as opened:
        (view,) = opened.sessions()
        page = write_session_report(opened, view.id).read_text(encoding="utf-8")
    assert isinstance(finished.outcome, Aborted)
    delivered = [trial for trial in view.trials if isinstance(trial, Trial)]
    void = [trial for trial in view.trials if isinstance(trial, VoidTrial)]
    assert delivered
    assert all(trial.train.current_ua < 56 for trial in delivered)
    assert void
    for trial in void:
        assert trial.exposed
        assert "shows 49.99 uA where" in trial.reason
        assert "the isolator may have run out of voltage: check electrode, wires and compliance" in trial.reason
        assert trial.delivered is not None
        assert trial.measured is not None
        assert trial.delivered.current_ua == pytest.approx(trial.train.current_ua, rel=0.01)
        assert trial.measured.current_ua == pytest.approx(50, abs=0.5)
    assert "the isolator may have run out of voltage" in page


def test_commanded_quantised_and_measured_stand_side_by_side_on_the_page(tmp_path: Path) -> None:
    study = new_study(tmp_path / "study")
    with bench(RIG, threshold_ua=22.0) as rig:
        threshold(study, RIG, rig.instruments)
    with open_study(study) as opened:
        (view,) = opened.sessions()
        page = write_session_report(opened, view.id).read_text(encoding="utf-8")
    first = view.trials[0]
    assert isinstance(first, Trial)
    table = page[page.index("<h2>Delivery</h2>") :].partition("</table>")[0]
    rows = [
        [cell.removeprefix("<td>").removesuffix("</td>") for cell in row.split("</td><td>")]
        for row in table.partition("<tbody>")[2].replace("</tr>", "").split("<tr>")[1:]
    ]
    commanded, quantised, measured = rows[:3]
    assert commanded[1:4] == ["commanded", "20", "20"]
    assert quantised[1] == "quantised"
    assert float(quantised[2]) == pytest.approx(first.delivered.current_ua, rel=1e-4)
    assert measured[1] == "measured"
    assert float(measured[2]) == pytest.approx(20, abs=0.5)
    assert measured[5:7] == ["50", "50"]
    assert measured[-1] == "as commanded"
    assert "Isolator: 100 µA for each volt, measured 2026-01-01" in page


def test_a_train_whose_rounding_breaks_a_charge_limit_never_flows(tmp_path: Path) -> None:
    """20 uA become 20.02 uA on a Pulse Pal behind 100 uA/V: 2.002 uC a train, where 2.001 uC are allowed."""
    tight = config(max_charge_per_train_uc=2.0005)
    with bench(tight) as rig:
        with pytest.raises(UnsafeStimulus, match="max_charge_per_train_uc allows"):
            threshold(new_study(tmp_path / "study"), tight, rig.instruments)
        assert rig.rat.heard == []


def test_a_journal_from_before_the_limits_of_a_train_and_a_day_is_read_with_those_of_its_session(
    tmp_path: Path,
) -> None:
    fixture = Path(__file__).parents[1] / "fixtures" / "threshold"
    with open_study(Path(shutil.copytree(fixture, tmp_path / "study"))) as opened:
        (view,) = opened.sessions()
        (row,) = [row for row in opened.journal.rows(view.id) if row.kind == "session_started"]
    old = json.loads(row.payload)
    for name in ("max_charge_per_train_uc", "max_charge_per_day_uc"):
        old["limits"].pop(name, None)
    limits = decode("session_started", json.dumps(old), SessionStarted).limits
    assert limits.max_charge_per_train_uc == limits.max_charge_per_session_uc
    assert limits.max_charge_per_day_uc == 1e6
    new = structs.replace(view.started, limits=structs.replace(limits, max_charge_per_day_uc=7.0))
    assert decode("session_started", msgspec.json.encode(new).decode(), SessionStarted).limits == new.limits


@pytest.mark.parametrize("n_pulses", [1, 2, 5])
def test_a_train_shorter_than_the_detector_looks_ahead_is_delivered_and_judged(n_pulses: int) -> None:
    """Spikes are known some 60 ms after they came; a train of one pulse is over by then."""
    train = PulseTrain(100.0, 1000.0, 0.0, 100.0, n_pulses / 100.0)
    with bench(RIG) as rig:
        rig.instruments.stimulator.identify()
        rig.instruments.source.start()
        trials = list(fired_into_dummy(rig.instruments, RIG.limits, [train] * 4))
    for trial in trials:
        assert isinstance(trial, Trial), trial
        assert trial.measured.n_pulses == n_pulses
    onsets = [trial.measured.onset_sample for trial in trials if trial.measured is not None]
    assert onsets == sorted(set(onsets))
