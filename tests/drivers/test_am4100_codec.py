"""Lines of the A-M Systems 4100, against the examples that its vendor printed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.am4100_codec import (
    DURATION_1,
    EVENT_TYPE,
    GET_REVISION,
    RUN,
    STOP,
    TRIGGER_ONE,
    Activity,
    Condition,
    Menu,
    Revision,
    Setting,
    answer_or_no,
    answer_to,
    encode,
    get_menu,
    parse_activity,
    parse_condition,
    parse_revision,
    set_menu,
    sync,
)


def test_requests_are_the_lines_of_the_vendors_examples() -> None:
    assert encode(get_menu(Setting(11, 2))) == b"g m 11 2\r"
    assert encode(set_menu(EVENT_TYPE, 3), 1001) == b"1001 s m 10 2 3\r"
    assert encode(GET_REVISION) == b"g r\r"
    assert encode(set_menu(DURATION_1, 1000), 1001) == b"1001 s m 10 6 1000\r"
    assert encode(set_menu(sync(1), 1), 1001) == b"1001 s m 1 1 1\r"
    assert [encode(words, 1001) for words in (RUN, STOP, TRIGGER_ONE)] == [
        b"1001 s a run\r",
        b"1001 s a stop\r",
        b"1001 s t one\r",
    ]


def test_revision_m1_takes_no_pin() -> None:
    assert not parse_revision("M1_F1").takes_pin
    assert parse_revision("M2_F1").takes_pin
    assert encode(STOP, None) == b"s a stop\r"


@pytest.mark.parametrize(
    ("request_", "answer", "value"),
    [
        (b"g m 11 2\r", b"g m 11 2\r\r\n1\r\n*\r\n", b"1"),
        (b"1001 s m 10 2 3\r", b"1001 s m 10 2 3\r\r\n*\r\n", None),
        (b"g r\r", b"g r\r\r\nM1_F1\r\n*\r\n", b"M1_F1"),
        (b"g m 10 7\r", b"g m 10 7\r\r\n-200\r\n*\r\n", b"-200"),
        (b"g a\r", b"*\r\ng a\r\r\nMonitoring  pulses\r\n*\r\n", b"Monitoring  pulses"),
        (b"g c\r", b"\r\n*\r\ng c\r\r\n@D\r\n*\r\n", b"@D"),
    ],
)
def test_an_answer_is_its_echo_a_value_and_its_end(request_: bytes, answer: bytes, value: bytes | None) -> None:
    """The first two are the vendor's; what an earlier answer left behind, such as a second end mark, is skipped."""
    found = answer_to(request_).fullmatch(answer)
    assert found is not None
    assert found[1] == value
    assert answer_to(request_).search(answer[:-1]) is None


def test_the_answer_to_another_request_is_none() -> None:
    assert answer_to(b"g m 10 7\r").search(b"g m 10 6\r\r\n1000\r\n*\r\n") is None
    assert answer_to(b"g m 10 7\r").fullmatch(b"1001 s a stop\r\r\n*\r\ng m 10 7\r\r\n5\r\n*\r\n") is None


def test_answers_to_a_stop_of_another_thread_are_skipped() -> None:
    stop = encode(STOP, 1001)
    found = answer_to(b"g m 10 7\r", stop).fullmatch(
        b"1001 s a stop\r\r\n*\r\n1001 s a stop\r\r\n*\r\ng m 10 7\r\r\n5\r\n*\r\n"
    )
    assert found is not None
    assert found[1] == b"5"


@pytest.mark.parametrize(
    "said", [b"9 s a run\r\r\n?", b"9 s a run\r\r\nBad value", b"9 s a run\r\r\nA dangerous voltage, OK?"]
)
def test_a_refusal_has_no_end_mark_and_is_not_waited_for(said: bytes) -> None:
    answer = answer_to(b"9 s a run\r")
    assert answer.search(said) is None
    assert answer_or_no(answer).search(said)


def test_an_answer_is_no_refusal() -> None:
    answer = answer_to(b"g a\r")
    assert not answer_or_no(answer).search(b"g a\r\r\nDANGEROUS PULSES")
    assert answer_or_no(answer).search(b"g a\r\r\nDANGEROUS PULSES\r\n*\r\n")


@pytest.mark.parametrize(("value", "revision"), [("M1_F1", Revision(1, 1)), ("M2_F13\r\n", Revision(2, 13))])
def test_a_revision_is_read(value: str, revision: Revision) -> None:
    assert parse_revision(value) == revision
    assert str(revision) == value.strip()


@pytest.mark.parametrize("value", ["", "M1", "F1_M1", "STG4002", "M0_F1", "M1_F1 beta"])
def test_what_is_no_revision_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="revision like M1_F1"):
        parse_revision(value)


@pytest.mark.parametrize("activity", Activity)
def test_every_status_text_is_read_however_it_is_spaced(activity: Activity) -> None:
    assert parse_activity(activity.value) is activity
    assert parse_activity(f" {' '.join(activity.value.split())} \r\n") is activity
    assert not (activity.ready and activity.playing)


def test_an_unknown_status_text_is_refused() -> None:
    with pytest.raises(ValueError, match="no status"):
        parse_activity("Ready")


def test_the_flags_stand_where_the_vendor_says() -> None:
    """First: enabled, loaded, generating, above 100 uA, above 200 V; second: panel changed, free run, relay open."""
    assert parse_condition("GB") == Condition(True, True, True, False, True, False)
    assert parse_condition("@D") == Condition(False, False, False, False, False, True)
    assert parse_condition("XA") == Condition(False, False, False, True, False, False)


@given(st.builds(Condition, *[st.booleans()] * 6), st.booleans(), st.booleans())
def test_flags_survive_their_two_characters(condition: Condition, above_100_ua: bool, above_200_v: bool) -> None:
    assert parse_condition(condition.encode(above_100_ua, above_200_v)) == condition


@pytest.mark.parametrize("value", ["", "@", "@@@", "12", "é@"])
def test_what_are_no_flags_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="two characters of flags"):
        parse_condition(value)


def test_the_first_event_of_the_library_stands_in_menu_10() -> None:
    assert Menu.EVENT == 10
