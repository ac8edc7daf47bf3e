"""Onsets and ends as a person moves them: never crossed, never outside the trial, always undone."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from kindle.gui.review.draft import Bounds, Draft, beside

AUTOMATIC = (Bounds(1000, 4000), Bounds(6000, 8000))
FIRST, LAST = 500, 10_000

moves = st.lists(
    st.one_of(
        st.tuples(st.just("move"), st.integers(0, 3), st.sampled_from(["onset", "end"]), st.integers(-2000, 12_000)),
        st.tuples(st.just("add"), st.integers(-2000, 12_000), st.integers(-2000, 12_000)),
        st.tuples(st.just("remove"), st.integers(0, 3)),
        st.tuples(st.just("undo")),
        st.tuples(st.just("back")),
    ),
    max_size=30,
)


@given(moves)
def test_whatever_is_done_discharges_are_in_order_inside_the_trial_and_never_meet(
    done: list[tuple[object, ...]],
) -> None:
    draft = Draft(AUTOMATIC, AUTOMATIC, FIRST, LAST)
    for what, *rest in done:
        match what, rest:
            case "move", [int(number), ("onset" | "end") as edge, int(sample)] if number < len(draft.events):
                placed = draft.move(number, edge, sample)
                event = draft.events[number]
                assert placed == (event.onset_sample if edge == "onset" else event.end_sample)
            case "add", [int(onset), int(end)]:
                draft.add(onset, end)
            case "remove", [int(number)] if number < len(draft.events):
                draft.remove(number)
            case "undo", _:
                draft.undo()
            case "back", _:
                draft.back_to_automatic()
        assert all(FIRST <= event.onset_sample < event.end_sample <= LAST for event in draft.events)
        assert all(one.end_sample < other.onset_sample for one, other in pairwise(draft.events))
    while draft.can_undo:
        draft.undo()
    assert draft.events == AUTOMATIC


def test_an_edge_stops_at_its_neighbours() -> None:
    draft = Draft(AUTOMATIC, AUTOMATIC, FIRST, LAST)
    assert draft.move(0, "end", 9000) == 5999
    assert draft.move(1, "onset", 0) == 6000
    assert draft.move(0, "onset", 99_999) == 5998
    assert draft.move(0, "onset", -5) == FIRST
    assert draft.move(1, "end", 99_999) == LAST


def test_a_discharge_is_added_only_where_there_is_room() -> None:
    draft = Draft(AUTOMATIC, AUTOMATIC, FIRST, LAST)
    assert draft.add(3000, 5000) is None
    assert draft.add(20_000, 30_000) is None
    assert draft.add(4500, 5500) == 1
    assert draft.events == (AUTOMATIC[0], Bounds(4500, 5500), AUTOMATIC[1])


def test_what_is_put_back_as_it_stood_is_no_change() -> None:
    draft = Draft(AUTOMATIC, AUTOMATIC, FIRST, LAST)
    draft.move(0, "onset", 1500)
    assert draft.changed
    draft.move(0, "onset", 1000)
    assert not draft.changed


def test_an_earlier_correction_stands_until_it_is_changed_and_the_detectors_values_stay_beside_it() -> None:
    standing = (Bounds(1100, 4200),)
    draft = Draft(AUTOMATIC, standing, FIRST, LAST)
    assert draft.events == standing
    assert not draft.changed
    assert beside(draft, 0, 1000.0, 500) == (
        "0.600 to 3.700 s after the train, 3.100 s long (detector: 0.500 to 3.500 s after the train, 3.000 s long)"
    )
    draft.back_to_automatic()
    assert draft.changed
    assert beside(draft, 0, 1000.0, 500) == "0.500 to 3.500 s after the train, 3.000 s long (as detected)"
    draft.add(8500, 9500)
    assert beside(draft, 2, 1000.0, 500).endswith("(detector: no discharge here)")
