"""One kill of the campaign for a protocol of each kind: what it promises holds, and what it looks for it finds."""

import random
import sys

import pytest

from benchmarks.reliability.faults import STIMULATORS, disturbed
from benchmarks.reliability.kill_bench import LineKind

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL and forkserver are POSIX")


def test_a_killed_session_leaves_nothing_to_find() -> None:
    from benchmarks.reliability.kill import Tally, kill_once, undisturbed

    tally = Tally()
    kill_once("kindling", undisturbed("kindling"), random.Random(3), tally)
    assert tally.findings == []
    assert tally.n_rows > 0


def test_a_row_that_was_acknowledged_and_is_gone_is_found() -> None:
    from benchmarks.reliability.kill import Tally, _left_behind, place
    from benchmarks.reliability.kill_child import ROWS, SAMPLES

    with place() as (study, notes):
        (notes / ROWS).write_text("1 no such hash\n", encoding="utf-8")
        (notes / SAMPLES).write_bytes((2000).to_bytes(8, "little"))
        found = list(_left_behind(study, notes, Tally()))
    assert any("acknowledged and are gone" in what for what in found)
    assert any("2.00 s of signal are missing" in what for what in found)


def test_a_stop_that_the_stimulator_ignores_is_told_and_its_train_ends_by_itself() -> None:
    cell = disturbed("kindling", "in the train", "stop, which the stimulator ignores")
    assert cell.findings == ()
    assert cell.outcome == "stopped"
    assert "switch its output off by hand" in cell.message
    assert 0.0 < cell.current_s <= 1.0


def test_a_stop_in_a_train_leaves_no_current() -> None:
    cell = disturbed("kindling", "in the train", "stop")
    assert cell.findings == ()
    assert (cell.n_void, cell.current_s) == (1, 0.0)


@pytest.mark.parametrize("fault", ["monitor shows current always", "monitor shows another's pulses"])
@pytest.mark.parametrize(("plan", "state"), [("kindling", "resting"), ("pentylenetetrazol", "observing")])
def test_current_that_no_train_explains_stops_the_session(plan: str, state: str, fault: str) -> None:
    cell = disturbed(plan, state, fault)
    assert cell.findings == ()
    assert (cell.reached, cell.outcome, cell.n_void) == (True, "stopped", 0)
    assert "while no train is going on" in cell.message


@pytest.mark.parametrize("fault", ["TTL stuck low", "monitor shows half the current"])
def test_one_contradicted_train_is_the_last_until_somebody_says_otherwise(fault: str) -> None:
    cell = disturbed("rising", "resting", fault)
    assert cell.findings == ()
    assert (cell.outcome, cell.n_void) == ("stopped", 1)
    assert "say that it may go on" in cell.message


@pytest.mark.parametrize("stimulator", STIMULATORS)
def test_a_stop_in_a_train_leaves_no_current_whatever_gives_it(stimulator: LineKind) -> None:
    cell = disturbed("kindling", "in the train", "stop", stimulator)
    assert cell.findings == ()
    assert cell.n_void == 1
    assert cell.current_s <= 0.05
