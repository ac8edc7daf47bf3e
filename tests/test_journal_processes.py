"""The journal between processes: killed writers, two writers, a writer that died within a row."""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kindle.journal import Journal, JournalReader
from kindle.journal_schema import Durability, durability
from kindle.journal_verification import verify_chain

NOON = datetime(2025, 3, 1, 12, tzinfo=UTC)
APPEND = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from kindle.journal import Journal
from kindle.journal_schema import Durability
path, session, n_rows, mode, synchronous = sys.argv[1:]
durability = Durability(mode, int(synchronous))
with Journal.open(Path(path), create=True, durability=durability) as journal:
    for n in range(int(n_rows)):
        row = journal.append(session, "trial", {"n": n}, sample=n, utc=datetime.now(UTC))
        print(row.seq, row.hash, flush=True)
"""
DIE_WITHIN_A_ROW = """
import os, signal, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA cache_size = 1")
connection.execute("PRAGMA cache_spill = 1")
connection.execute("BEGIN IMMEDIATE")
for seq in range(4, 400):
    values = (seq, "R1", "trial", None, "never", "x" * 4000, "unhashed")
    connection.execute("INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?, ?)", values)
os.kill(os.getpid(), signal.SIGKILL)
"""


def appending(path: Path, session: str, n_rows: int, mode: Durability) -> subprocess.Popen[str]:
    arguments = [str(path), session, str(n_rows), mode.journal_mode, str(mode.synchronous)]
    return subprocess.Popen([sys.executable, "-c", APPEND, *arguments], stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("mode", [durability((3, 51, 3)), durability((3, 40, 1))])
def test_no_acknowledged_row_is_lost_when_the_writer_is_killed(tmp_path: Path, mode: Durability) -> None:
    path = tmp_path / "journal.sqlite"
    acknowledged: list[list[str]] = []
    for attempt in range(4):
        with appending(path, f"attempt{attempt}", 100_000, mode) as writer:
            assert writer.stdout is not None
            seen = [writer.stdout.readline() for _ in range(25 + attempt)]
            writer.kill()
            seen += writer.stdout.read().splitlines(keepends=True)
        acknowledged += [line.split() for line in seen if line.endswith("\n")]
    assert verify_chain(path) == []
    with Journal.open(path, durability=mode) as journal:
        stored = {str(row.seq): row.hash for row in journal.rows()}
        assert all(stored[seq] == digest for seq, digest in acknowledged)
        assert 0 <= len(stored) - len(acknowledged) <= 4
        assert journal.append("after", "note", {}, sample=None, utc=NOON).seq == len(stored) + 1


@pytest.mark.parametrize("mode", [durability((3, 51, 3)), durability((3, 40, 1))])
def test_two_processes_appending_make_one_chain(tmp_path: Path, mode: Durability) -> None:
    path = tmp_path / "journal.sqlite"
    with appending(path, "A", 60, mode) as first, appending(path, "B", 60, mode) as second:
        printed = [process.communicate(timeout=60)[0].splitlines() for process in (first, second)]
    assert [first.returncode, second.returncode] == [0, 0]
    assert verify_chain(path) == []
    with JournalReader.open(path) as reader:
        rows = reader.rows()
        assert [row.seq for row in rows] == list(range(1, 121))
        for session, lines in zip("AB", printed, strict=True):
            assert [f"{row.seq} {row.hash}" for row in reader.rows(session)] == lines


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_a_reader_opens_a_journal_whose_writer_died_within_a_row(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    with Journal.open(path, create=True, durability=durability((3, 40, 1))) as journal:
        written = [journal.append("R1", "trial", n, sample=None, utc=NOON) for n in range(3)]
    subprocess.run([sys.executable, "-c", DIE_WITHIN_A_ROW, str(path)], check=False)
    assert path.with_name("journal.sqlite-journal").stat().st_size > 0
    with JournalReader.open(path) as reader:
        assert reader.rows() == written
    assert verify_chain(path) == []
