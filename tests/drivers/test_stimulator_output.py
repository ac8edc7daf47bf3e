"""What an emulated stimulator puts out, as the bench asks for it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.simulated.stimulator_output import LevelRecord

CHANGES = st.lists(st.tuples(st.integers(1, 50), st.sampled_from([0.0, 1.0, -1.0])), max_size=20)


def recorded(changes: list[tuple[int, float]]) -> tuple[LevelRecord, list[float]]:
    """A line that changes after so many us each, and its level at every us."""
    line, levels, now_us = LevelRecord(), [], 0
    for after_us, level in changes:
        levels += [line.level] * after_us
        now_us += after_us
        line.set(level, now_us)
    return line, levels + [line.level] * 100


@given(CHANGES, st.data())
def test_any_stretch_of_a_line_is_told_as_it_was(changes: list[tuple[int, float]], data: st.DataObject) -> None:
    line, levels = recorded(changes)
    start_us = data.draw(st.integers(0, len(levels) - 2))
    end_us = data.draw(st.integers(start_us + 1, len(levels)))
    times_us, values = line.between(start_us, end_us)
    assert times_us[0] == start_us
    assert np.all(np.diff(times_us) > 0)
    assert np.all(values[1:] != values[:-1])
    at = np.searchsorted(times_us, np.arange(start_us, end_us), side="right") - 1
    assert values[at].tolist() == levels[start_us:end_us]


@given(CHANGES, st.data())
def test_a_cut_line_is_zero_from_there_on_and_as_before_until_then(
    changes: list[tuple[int, float]], data: st.DataObject
) -> None:
    line, levels = recorded(changes)
    at_us = data.draw(st.integers(1, len(levels) - 1))
    line.cut(at_us)
    times_us, values = line.between(0, len(levels))
    at = np.searchsorted(times_us, np.arange(len(levels)), side="right") - 1
    assert values[at].tolist() == levels[:at_us] + [0.0] * (len(levels) - at_us)


def test_two_changes_at_once_are_one() -> None:
    line = LevelRecord()
    line.set(1.0, 10)
    line.set(2.0, 10)
    assert line.between(0, 20)[1].tolist() == [0.0, 2.0]
    line.set(0.0, 10)
    assert line.between(0, 20)[1].tolist() == [0.0]


def test_a_line_does_not_change_in_the_past() -> None:
    line = LevelRecord()
    line.set(1.0, 10)
    with pytest.raises(ValueError, match="changed at 10 us and cannot be changed at 5 us"):
        line.set(2.0, 5)
