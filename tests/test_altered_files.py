"""What was written by somebody else than kindle, or altered since: one sentence says so, whatever it is."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from drivers.daq_input import Input, channel_of
from drivers.interface import DeviceNotFound, DeviceRefused, DriverError, LinkLost
from drivers.nidaq_device import finding, losing, refusing
from kindle.amended import amended_rows
from kindle.animal_rows import Amended, DischargesAmended, TrialReading, Weighed
from kindle.batch_table import open_table
from kindle.brainvision import parse_header
from kindle.canonical import GENESIS, chain_hash
from kindle.errors import ConfigError, JournalMismatch, KindleError, RecordingError
from kindle.journal import Journal, JournalReader
from kindle.journal_verification import verify_chain
from kindle.json_reading import from_json
from kindle.loading import load
from kindle.rows import Answered, SessionEnded, kind_of
from kindle.study import create_study
from kindle.toml_files import read_toml

NOW = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)
NONE = TrialReading("none")  # type: ignore[arg-type]
DEEP = b"[" * 5000


def journal_of(path: Path, *fields: tuple[str, str, int | None, str, str]) -> Path:
    """Rows that kindle did not write, their chain sound."""
    Journal.open(path, create=True).close()
    previous = GENESIS
    with closing(sqlite3.connect(path)) as connection, connection:
        for seq, values in enumerate(fields, 1):
            previous = chain_hash(previous, seq, *values)
            connection.execute("INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?, ?)", (seq, *values, previous))
    return path


def told(path: Path, *rows: tuple[str, Any]) -> Journal:
    with Journal.open(path, create=True) as journal:
        for session, row in rows:
            journal.append(session, kind_of(row), row, sample=None, utc=NOW)
    return Journal.open(path)


@pytest.mark.parametrize("utc", ["2026-03-04T09:30:00", "0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59+00:00", "x"])
def test_a_row_whose_time_is_none_of_an_experiment_is_damaged(tmp_path: Path, utc: str) -> None:
    path = journal_of(tmp_path / "journal.sqlite", ("animals", "note", None, utc, "{}"))
    assert verify_chain(path) == []
    with JournalReader.open(path) as journal, pytest.raises(JournalMismatch, match=r"row 1 of .* is damaged"):
        journal.rows()


def test_text_that_is_no_text_in_the_file_of_the_journal_is_told(tmp_path: Path) -> None:
    path = journal_of(tmp_path / "journal.sqlite", ("animals", "note", None, NOW.isoformat(), '"abcdefgh"'))
    path.write_bytes(path.read_bytes().replace(b'"abcdefgh"', b'"abc\xd1\xfffgh"'))
    with JournalReader.open(path) as journal, pytest.raises(KindleError, match="the journal"):
        journal.rows()
    assert [problem.seq for problem in verify_chain(path)] == [1]


@pytest.mark.parametrize(
    ("correction", "message"),
    [
        (DischargesAmended("R01", 1, NONE, NONE, "me", "why"), "row 1 is corrected as a trial, and is none"),
        (Amended(1, "animal", "R01", "R02", "me", "why"), "weight_g of it can be amended, not 'animal'"),
        (Amended(1, "weight_g.of", 1, 2, "me", "why"), "can be amended"),
    ],
)
def test_a_correction_of_what_cannot_be_corrected_is_refused(tmp_path: Path, correction: Any, message: str) -> None:
    rows = (("animals", Weighed("R01", 250.0)), ("animals", correction))
    with told(tmp_path / "journal.sqlite", *rows) as journal, pytest.raises(KindleError, match=message):
        list(amended_rows(journal))


@pytest.mark.parametrize("type", [dict[str, Any], list[Any]])
def test_json_that_lies_too_deep_is_no_value(type: Callable[..., Any]) -> None:
    with pytest.raises(msgspec.DecodeError, match="too deep"):
        from_json(b'{"a":' * 5000 if type == dict[str, Any] else DEEP, type)  # type: ignore[arg-type]


def test_a_header_with_a_channel_too_deep_is_damaged() -> None:
    header = (
        "Brain Vision Data Exchange Header File Version 1.0\n[Common Infos]\nNumberOfChannels=1\n[Kindle]\nLayout=1\n"
        "RateHz=1000.0\nStartUTC=2026-03-04T09:30:00+00:00\nFirstSample=0\nCh1=" + '{"a":' * 5000
    )
    with pytest.raises(RecordingError, match="is damaged"):
        parse_header(header.encode(), "signal.vhdr")


@pytest.mark.parametrize("parameters", ["{", "[1]", '{"a":' * 3000, "null"])
def test_a_table_of_results_with_other_parameters_is_refused(tmp_path: Path, parameters: str) -> None:
    path = tmp_path / "results.sqlite"
    with open_table(path, create=True):
        pass
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("INSERT INTO analyses VALUES ('a', ?, '0.1.0', 'd', '2026-03-04')", (parameters,))
    with pytest.raises(ConfigError, match="cannot be used as a table of results"), open_table(path) as table:
        table.analyses()


def test_rows_of_the_database_without_a_time_are_refused() -> None:
    pytest.importorskip("sqlalchemy")
    from sqlalchemy import create_engine, insert, text

    from kindle.laboratory.fetching import rows_after
    from kindle.laboratory.tables import ROWS

    with create_engine("sqlite://").connect() as connection:
        connection.execute(text("ATTACH ':memory:' AS kindle"))
        ROWS.create(connection)
        row = {"session": "a", "kind": "note", "sample": None, "utc": "then", "payload": "{}", "hash": "0"}
        connection.execute(insert(ROWS).values(study="s", rig="left", seq=1, **row))
        with pytest.raises(JournalMismatch, match="row 1 of rig left in the laboratory's database has no time"):
            rows_after(connection, "s", "left", 0, 10)


@pytest.mark.parametrize("n_bytes", ["-999999", "0", "12"])
def test_an_edf_header_that_ends_before_it_begins_is_refused(tmp_path: Path, n_bytes: str) -> None:
    from benchmarks.reliability.recording_targets import edf

    path = tmp_path / "x.edf"
    content = edf()
    path.write_bytes(content[:184] + f"{n_bytes:8}".encode() + content[192:])
    with pytest.raises(RecordingError, match="EDF header says how to read no sample"):
        load(path)


@pytest.mark.parametrize("number", ["0x" + "9" * 5000, "9223372036854775808", "[[-9223372036854775809]]"])
def test_a_number_beyond_those_of_toml_is_refused(tmp_path: Path, number: str) -> None:
    path = tmp_path / "a.toml"
    path.write_text(f"[a]\nb = {number}\n")
    with pytest.raises(ConfigError, match="a number is too long"):
        read_toml(path)


def test_a_study_whose_name_is_no_text_is_not_begun(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is no text in UTF-8"):
        create_study(tmp_path / "study", 'name = "\udcff"')
    assert not (tmp_path / "study").exists()


@pytest.mark.parametrize(("guard", "kind"), [(finding, DeviceNotFound), (refusing, DeviceRefused), (losing, LinkLost)])
@pytest.mark.parametrize("error", [ValueError("zip"), IndexError("1"), OverflowError("nan"), TypeError("x")])
def test_a_server_that_answers_as_no_device_does_is_told_in_a_sentence(
    guard: Any, kind: type[DriverError], error: Exception
) -> None:
    with pytest.raises(kind, match=f"Dev1 answers as no NI device does .{type(error).__name__}"), guard("Dev1"):
        raise error


@pytest.mark.parametrize(
    ("coefficients", "high_v"),
    [([], 5.0), ([0.0], 5.0), ([0.0, 0.0], 5.0), ([0.0, float("nan")], 5.0), ([0.0, 1e-3], float("inf"))],
)
def test_a_board_without_a_scaling_is_refused(coefficients: list[float], high_v: float) -> None:
    wanted = Input("ai0", "EEG", "eeg", "uV", 1000.0, 5.0, "rse")
    with pytest.raises(DeviceRefused, match="tells no scaling for EEG"):
        channel_of(wanted, coefficients, -5.0, high_v)


def test_outcomes_of_sessions_that_never_started_are_refused_with_their_corrections(tmp_path: Path) -> None:
    from kindle.exchange import Scored
    from kindle.protocols.kindling import KindlingDone

    rows = (
        ("R01_1", Answered(Scored("racine_1972@1", 4.0))),
        ("R01_1", SessionEnded(KindlingDone(()))),
        ("animals", Amended(1, "reply.stage", 4.0, 5.0, "me", "why")),
    )
    with told(tmp_path / "journal.sqlite", *rows) as journal, pytest.raises(JournalMismatch, match="never started"):
        list(amended_rows(journal))
