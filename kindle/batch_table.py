"""One SQLite file for the results of many recordings: each is written whole, once, with how it came about.

SQLite, because a kill leaves the results before it whole, "done already" is a look into an index, and every language
reads it.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from kindle.batch_identity import Stamps, analysis_id, parameters, software
from kindle.errors import ConfigError
from kindle.json_reading import from_json
from kindle.reanalysis import Asked
from kindle.results import RecordingResult

_APPLICATION = 0x4B424154
_SCHEMA = f"""
PRAGMA application_id = {_APPLICATION};
CREATE TABLE IF NOT EXISTS analyses (id TEXT PRIMARY KEY, parameters TEXT NOT NULL, kindle TEXT NOT NULL,
    detector TEXT NOT NULL, begun_utc TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS results (analysis TEXT NOT NULL REFERENCES analyses, content TEXT NOT NULL,
    recording TEXT NOT NULL, status TEXT NOT NULL CHECK (status IN ('done', 'failed')), reason TEXT NOT NULL,
    finished_utc TEXT NOT NULL, software TEXT NOT NULL, result TEXT, PRIMARY KEY (analysis, content)) STRICT;
CREATE TABLE IF NOT EXISTS seen (recording TEXT PRIMARY KEY, stamps TEXT NOT NULL, content TEXT NOT NULL) STRICT;
CREATE VIEW IF NOT EXISTS trials AS
    SELECT results.analysis, results.recording, channel.value ->> 'name' AS channel,
        trial.value ->> '$.stimulus.onset_s' AS train_s, trial.value ->> 'verdict' AS verdict,
        trial.value ->> '$.durations_s.total' AS total_s, trial.value ->> 'reason' AS reason
    FROM results, json_each(results.result, '$.channels') AS channel, json_each(channel.value, '$.trials') AS trial;
CREATE VIEW IF NOT EXISTS seizures AS
    SELECT results.analysis, results.recording, channel.value ->> 'name' AS channel,
        seizure.value ->> 'onset_s' AS onset_s, seizure.value ->> 'duration_s' AS duration_s
    FROM results, json_each(results.result, '$.channels') AS channel,
        json_each(channel.value, '$.seizures') AS seizure;
"""


@dataclass(frozen=True, slots=True)
class Analysis:
    """One way of analysing that a table holds results of."""

    id: str
    parameters: dict[str, Any]
    kindle: str
    detector: str
    n_done: int
    n_failed: int


@dataclass(frozen=True, slots=True)
class Stored:
    """``result`` is ``None`` for a recording that could not be analysed, for ``reason``."""

    content: str
    recording: str
    reason: str
    result: RecordingResult | None


class BatchTable:
    """An open table; every method is one transaction."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection

    def begin(self, asked: Asked) -> str:
        """The name of this analysis, new or known."""
        id, versions = analysis_id(asked), software()
        stated = (id, _json(parameters(asked)), versions["kindle"], versions["detector"], _now())
        with self._connection:
            self._connection.execute("INSERT OR IGNORE INTO analyses VALUES (?, ?, ?, ?, ?)", stated)
        return id

    def content_of(self, recording: Path, stamps: Stamps) -> str | None:
        """The digest of a recording that was read before and has not changed since."""
        row = self._connection.execute("SELECT stamps, content FROM seen WHERE recording = ?", (str(recording),))
        found = row.fetchone()
        return str(found[1]) if found is not None and found[0] == _json(stamps) else None

    def saw(self, recording: Path, stamps: Stamps, content: str) -> None:
        with self._connection:
            self._connection.execute(
                "INSERT OR REPLACE INTO seen VALUES (?, ?, ?)", (str(recording), _json(stamps), content)
            )

    def has(self, analysis: str, content: str) -> bool:
        """Whether it is done; what failed is tried again."""
        query = "SELECT 1 FROM results WHERE analysis = ? AND content = ? AND status = 'done'"
        return self._connection.execute(query, (analysis, content)).fetchone() is not None

    def done(self, analysis: str, content: str, result: RecordingResult, by: dict[str, str]) -> None:
        """``by`` is the software of the process that did it."""
        # An earlier failure of the same file may stand under its name only.
        with self._connection:
            self._connection.execute(
                "DELETE FROM results WHERE analysis = ? AND recording = ? AND status = 'failed'",
                (analysis, result.path),
            )
            self._write(analysis, content, result.path, "done", "", by, msgspec.json.encode(result).decode())

    def failed(self, analysis: str, content: str | None, recording: Path, reason: str) -> None:
        with self._connection:
            self._write(analysis, content or f"unread:{recording}", str(recording), "failed", reason, software(), None)

    def analyses(self) -> list[Analysis]:
        """In the order in which they were begun."""
        rows = self._connection.execute(
            "SELECT id, parameters, kindle, detector, COUNT(result), COUNT(results.content) - COUNT(result) "
            "FROM analyses LEFT JOIN results ON analysis = id GROUP BY id ORDER BY begun_utc, id"
        )
        return [Analysis(row[0], from_json(row[1], dict[str, Any]), *row[2:]) for row in rows]

    def results(self, analysis: str) -> Iterator[Stored]:
        rows = self._connection.execute(
            "SELECT content, recording, reason, result FROM results WHERE analysis = ? ORDER BY recording, content",
            (analysis,),
        )
        for content, recording, reason, text in rows:
            result = None if text is None else from_json(text, RecordingResult)
            yield Stored(content, recording, reason, result)

    def _write(
        self,
        analysis: str,
        content: str,
        recording: str,
        status: str,
        reason: str,
        by: dict[str, str],
        result: str | None,
    ) -> None:
        row = (analysis, content, recording, status, reason, _now(), _json(by), result)
        self._connection.execute("INSERT OR REPLACE INTO results VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)


@contextmanager
def open_table(path: Path, *, create: bool = False) -> Iterator[BatchTable]:
    """Raises ``ConfigError`` for what is no table of results, or cannot be written."""
    if not create and not path.is_file():
        raise ConfigError(f"{path}: no such table of results; kindle reanalyse or kindle detect --table makes one")
    try:
        with closing(sqlite3.connect(path, timeout=30.0)) as connection:
            new = connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()[0] == 0
            kind = connection.execute("PRAGMA application_id").fetchone()[0]
            if kind != _APPLICATION and not (new and create):
                raise ConfigError(f"{path} is a database, but no table of results: name another file")
            if create:
                connection.executescript(_SCHEMA)
            yield BatchTable(path, connection)
    except (sqlite3.Error, UnicodeError, msgspec.DecodeError) as error:
        raise ConfigError(f"{path} cannot be used as a table of results ({error}): check the file and its disk") from (
            error
        )


def _json(value: object) -> str:
    return msgspec.json.encode(value, order="deterministic").decode()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
