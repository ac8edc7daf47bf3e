"""What the campaign of power failures reads from a trace of system calls."""

from pathlib import Path

import pytest

from benchmarks.reliability.power import Call, Lengths, _calls, _journal, _longest_wait_s

STUDY = Path("/s")
TRACE = """\
7 10.000000 write(4</s/signal.eeg>, "a"..., 100) = 100 <0.000100>
7 10.500000 write(4</s/signal.eeg>, "b"..., 100 <unfinished ...>
8 10.500010 fdatasync(4</s/signal.eeg> <unfinished ...>
7 10.500200 <... write resumed>) = 100 <0.000200>
8 10.600000 <... fdatasync resumed>) = 0 <0.099990>
7 11.000000 pwrite64(3</s/journal.sqlite>, "r"..., 50, 0) = 50 <0.000100>
7 11.100000 write(5</dev/pts/3>, "t"..., 2) = 2 <0.000100>
7 11.200000 fdatasync(3</s/journal.sqlite>) = 0 <0.010000>
7 11.300000 write(5</dev/pts/3>, "t"..., 2) = 2 <0.000100>
"""


def test_calls_told_in_two_halves_are_joined() -> None:
    calls = list(_calls(TRACE))
    assert len(calls) == 7
    assert calls[2] == Call(10.50001, pytest.approx(10.6), "fdatasync", "/s/signal.eeg", 0)


def test_the_wait_for_a_sync_begins_with_the_first_byte_that_it_covers() -> None:
    assert _longest_wait_s(list(_calls(TRACE)), STUDY / "signal.eeg") == pytest.approx(0.49991)


def test_bytes_sent_before_their_journal_row_is_synced_are_found() -> None:
    n_sent, findings = _journal(list(_calls(TRACE)), STUDY)
    assert n_sent == 2
    assert len(findings) == 1
    assert "11.100" in findings[0]


def test_what_was_written_during_a_sync_is_not_safe_after_it() -> None:
    known = Lengths(written=[(1.0, 100), (2.0, 200)], synced=[(1.5, 100)])
    assert known.at(0.5) == (0, 0)
    assert known.at(2.5) == (100, 200)


def test_process_numbers_may_be_short_and_padded() -> None:
    padded = "\n".join(line.replace(line.split()[0], "988  ", 1) for line in TRACE.splitlines() if line.strip())
    assert len(list(_calls(padded))) == len(list(_calls(TRACE)))
