"""`kindle mirror sync` killed while it sends: the next one ends with every row there once."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from laboratory import folder_of, in_database, in_journal, typed, write
from postgres_server import Server

from kindle.laboratory.known import read_known
from kindle.laboratory.sending import BATCH
from kindle.session_view import ANIMALS
from kindle.sharing import mirror_of
from kindle.study import open_study
from kindle.verification import verify_study

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")

DIES_AFTER_ITS_FIRST_ROWS = """
import os, signal, sys
from pathlib import Path
from kindle.laboratory.mirror import sync
from kindle.sharing import mirror_of
from kindle.study import open_study
with open_study(Path(sys.argv[1])) as study:
    sync(mirror_of(study), lambda rig, done, of: os.kill(os.getpid(), signal.SIGKILL))
"""


def test_a_sync_that_is_killed_is_made_up_by_the_next_one(server: Server, database: str, tmp_path: Path) -> None:
    folder = folder_of(server, database, tmp_path, "left")
    with open_study(folder) as study:
        mirror = mirror_of(study)
        write(mirror, BATCH + 20, session=ANIMALS)
        killed = subprocess.run([sys.executable, "-c", DIES_AFTER_ITS_FIRST_ROWS, str(folder)], timeout=60)
        assert killed.returncode == -signal.SIGKILL
        assert in_database(server, mirror) == in_journal(study.journal)[:BATCH]
        assert read_known(folder) is None
        assert verify_study(folder) == []
        typed("mirror", "sync", folder)
        assert in_database(server, mirror) == in_journal(study.journal)
    assert verify_study(folder) == []


def test_rows_cut_off_after_they_were_sent_are_missed_without_the_network(
    server: Server, database: str, tmp_path: Path
) -> None:
    folder = folder_of(server, database, tmp_path, "left")
    with open_study(folder) as study:
        write(mirror_of(study), 7, session=ANIMALS)
        kept = (folder / "journal.sqlite").read_bytes()
        write(mirror_of(study), 2, session=ANIMALS)
        typed("mirror", "sync", folder)
    (folder / "journal.sqlite").write_bytes(kept)
    settings = (folder / "study.toml").read_text(encoding="utf-8")
    (folder / "study.toml").write_text(settings.replace(f"port = {server.port}", "port = 1"), encoding="utf-8")
    (problem,) = verify_study(folder)
    assert "9 rows were sent to" in problem.message
    assert problem.message.endswith("here are 7: some were lost here")
