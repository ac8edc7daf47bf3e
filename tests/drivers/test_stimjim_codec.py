"""Lines of the StimJim, against what the real firmware was seen to take and to answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_stimjim_device import KINDLING, KINDLING_ECHO, KINDLING_SUMMARY

from drivers.interface import LinkLost
from drivers.serial_wire import SerialLink
from drivers.simulated.stimjim_text import printed, redefined
from drivers.stimjim_codec import (
    ANSWER_TO_STOP,
    CURRENT,
    ECHO,
    GROUNDED,
    N_TRAINS,
    OFFSETS,
    OFFSETS_ANSWER,
    SILENT,
    STARTED,
    STOP,
    STOPPED,
    Stage,
    Summary,
    TrainDefinition,
    code_of,
    encode_definition,
    encode_start,
    encode_sync,
    parse_current_offsets,
    parse_definition,
    parse_summary,
    summary_answer,
    sync_answer,
)
from drivers.text_link import MOST_BYTES, TextLink

DEFINITION = TrainDefinition((CURRENT, GROUNDED), 16_667, 991_687, (Stage(100, 0, 1000), Stage(-100, 0, 1000)))

OFFSETS_LINES = (
    b"ADC offsets (+-2.5V): 0.000000, 0.000000\r\nADC offsets (+-10V): 0.000000, 0.000000\r\n"
    b"current offsets: 11, 8\r\nvoltage offsets: 0, 0\r\n\r\n"
)


def test_commands_are_the_lines_that_the_firmware_understood() -> None:
    assert encode_definition(0, DEFINITION) == KINDLING
    assert encode_definition(99, SILENT) == b"S99,3,3,10000,20000;\n"
    assert (encode_start(0), STOP, OFFSETS, encode_sync(0)) == (b"T0\n", b"T-1\n", b"D\n", b"R0,-1\n")


def test_an_echo_is_read_back_whole() -> None:
    found = ECHO.fullmatch(KINDLING_ECHO)
    assert found is not None
    assert parse_definition(found) == (0, DEFINITION)


def test_an_echo_without_stages_is_read_back() -> None:
    """Of the probe; both modes have brackets in their names."""
    echo = (
        b"----------------------------------\r\nParameters for PulseTrain[99]\r\n"
        b"  mode[ch0]: 3 (No output (grounded))\r\n  mode[ch1]: 3 (No output (grounded))\r\n"
        b"  period:    10000 usec (0.010 sec, 100.000 Hz)\r\n  duration:  20000 usec (0.020 sec)\r\n\r\n"
        b"  stage    duration     output0   output1\r\n----------------------------------\r\n\r\n"
    )
    found = ECHO.fullmatch(echo)
    assert found is not None
    assert parse_definition(found) == (99, SILENT)


@pytest.mark.parametrize("n_bytes", [0, 1, 40, 300, len(KINDLING_ECHO) - 2, len(KINDLING_ECHO) - 1])
def test_half_an_echo_is_none(n_bytes: int) -> None:
    assert ECHO.search(KINDLING_ECHO[:n_bytes]) is None


def test_stages_out_of_order_are_refused() -> None:
    found = ECHO.fullmatch(KINDLING_ECHO.replace(b"    1     1000", b"    2     1000"))
    assert found is not None
    with pytest.raises(ValueError, match="numbered"):
        parse_definition(found)


def test_a_summary_is_complete_with_its_last_stage() -> None:
    found = summary_answer(2).fullmatch(KINDLING_SUMMARY)
    assert found is not None
    assert parse_summary(found) == Summary(60, ((100, 0), (-100, 0)))
    assert summary_answer(2).search(KINDLING_SUMMARY[:-2]) is None
    assert summary_answer(3).search(KINDLING_SUMMARY) is None


def test_the_other_answers_are_recognised() -> None:
    offsets = OFFSETS_ANSWER.fullmatch(OFFSETS_LINES)
    assert offsets is not None
    assert parse_current_offsets(offsets) == (11, 8)
    started = STARTED.fullmatch(b"\r\nStarted T train with parameters of PulseTrain 99\r\n")
    assert started is not None
    assert int(started[1]) == 99
    assert ANSWER_TO_STOP.fullmatch(b"Invalid PulseTrain index.\r\n")
    assert sync_answer(1).fullmatch(
        b"Detaching interrupt to IN1\r\nProgramming IN1 as output that indicates activity on output 1\r\n"
    )
    assert not sync_answer(1).search(b"Detaching interrupt to IN1\r\n")


def test_the_line_about_stopping_alone_is_no_proof() -> None:
    assert not STOPPED.search(b"Forcing T train to stop\r\n")
    assert not STOPPED.search(OFFSETS_LINES + b"Forcing T train to stop\r\n")
    assert STOPPED.search(KINDLING_SUMMARY + b"Forcing T train to stop\r\n" + OFFSETS_LINES)


@pytest.mark.parametrize("index", [-1, N_TRAINS])
def test_a_train_that_does_not_exist_is_refused(index: int) -> None:
    with pytest.raises(ValueError, match="0 to 99"):
        encode_definition(index, DEFINITION)


def test_more_stages_than_the_device_has_room_for_are_refused() -> None:
    with pytest.raises(ValueError, match="room for 10"):
        encode_definition(0, TrainDefinition((1, 3), 20_000, 990_000, (Stage(1, 0, 100),) * 11))


@pytest.mark.parametrize(("ua", "code"), [(100, 983), (-100, -983), (400, 3933), (3300, 32448), (-3300, -32448)])
def test_currents_are_truncated_to_steps_of_the_converter(ua: int, code: int) -> None:
    assert code_of(ua, 11) == code


AMPLITUDES = st.integers(-3300, 3300)
DEFINITIONS = st.builds(
    TrainDefinition,
    st.tuples(st.integers(0, 3), st.integers(0, 3)),
    st.integers(1, 2**32 - 1),
    st.integers(0, 2**32 - 1),
    st.lists(st.builds(Stage, AMPLITUDES, AMPLITUDES, st.integers(0, 2**31 - 1)), max_size=10).map(tuple),
)


@given(st.integers(0, 99), DEFINITIONS)
def test_what_is_written_is_what_is_stored_and_what_is_echoed(index: int, definition: TrainDefinition) -> None:
    line = encode_definition(index, definition).decode().removeprefix("S").removesuffix("\n")
    stored = redefined(SILENT, line)
    assert stored == definition
    found = ECHO.fullmatch(printed(index, definition).encode())
    assert found is not None
    assert parse_definition(found) == (index, definition)


class Trickle:
    """A port that gives what it has in pieces, and then nothing."""

    def __init__(self, pieces: list[bytes]) -> None:
        self.timeout: float | None = None
        self.pieces = pieces

    def read(self, size: int = 1) -> bytes:
        if not self.pieces:
            return b""
        piece = self.pieces.pop(0)
        if len(piece) > size:
            self.pieces.insert(0, piece[size:])
        return piece[:size]

    def write(self, data: bytes) -> int:
        return len(data)

    def close(self) -> None:
        self.pieces.clear()


@given(st.lists(st.integers(1, 400), max_size=8))
def test_an_answer_may_come_in_pieces_and_what_follows_is_kept(cuts: list[int]) -> None:
    said, pieces = KINDLING_ECHO + KINDLING_SUMMARY, []
    for cut in cuts:
        pieces.append(said[:cut])
        said = said[cut:]
    link = TextLink(SerialLink("a port", Trickle([piece for piece in (*pieces, said) if piece])))
    echo, text = link.receive(ECHO, 1.0)
    assert echo is not None
    assert text == KINDLING_ECHO
    summary, text = link.receive(summary_answer(2), 1.0)
    assert summary is not None
    assert text == KINDLING_SUMMARY


def test_what_does_not_stop_sending_is_not_listened_to_for_ever() -> None:
    link = TextLink(SerialLink("a port", Trickle([b"x" * 1000] * (MOST_BYTES // 500))))
    with pytest.raises(LinkLost, match="does not stop sending"):
        link.receive(ECHO, 10.0)
