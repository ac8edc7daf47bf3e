"""The password of the database is libpq's business: it stands in nothing that kindle writes or says."""

import logging
import subprocess
import sys
import traceback
from pathlib import Path

import pytest
from laboratory import rig, write
from postgres_server import Server

from kindle.errors import ConfigError, KindleError
from kindle.laboratory.config import DatabaseConfig, check_database
from kindle.laboratory.line import connected
from kindle.laboratory.mirror import hold, sync
from kindle.laboratory.mirroring import mirroring
from kindle.toml_files import decode_toml

SECRET = "s3cret-0f-the-lab"


def everything_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def test_it_stands_in_no_log_journal_or_message(
    server: Server, database: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("sqlalchemy", "sqlalchemy.engine", "sqlalchemy.pool", "psycopg"):
        caplog.set_level(logging.DEBUG, logger=name)
    with rig(server, database, tmp_path, "left") as left:
        write(left, 2)
        hold(left, "R01")
        with mirroring(left, look_s=0.01):
            write(left, 2)
        with connected(left.config) as line:
            said = repr((left, left.config, line, vars(line), str(left.config)))
    out, err = capfd.readouterr()
    assert "INSERT INTO kindle.rows" in caplog.text  # the logs were listening
    for where in (caplog.text, said, out, err, everything_in(tmp_path).decode("latin-1")):
        assert server.password not in where


def test_a_wrong_one_is_not_repeated_in_the_refusal_or_its_trace(
    server: Server, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.delenv("PGPASSFILE")
    monkeypatch.setenv("PGPASSWORD", SECRET)
    message = r"does not let user 'laboratory_rigs' in .* in PGPASSWORD or"
    with rig(server, database, tmp_path, "left") as left, pytest.raises(ConfigError, match=message) as refused:
        sync(left)
    told = traceback.TracebackException.from_exception(refused.value, capture_locals=True)
    for where in ("".join(told.format()), repr(refused.value), caplog.text, everything_in(tmp_path).decode("latin-1")):
        assert SECRET not in where


def test_without_one_the_refusal_says_where_it_belongs(
    server: Server, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "none"))
    with (
        rig(server, database, tmp_path, "left") as left,
        pytest.raises(ConfigError, match="PGPASSWORD or in the"),
    ):
        sync(left)


def test_a_trace_with_its_variables_shows_no_row_of_the_journal(
    server: Server, database: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A row may hold a code of a blinded study: SQLAlchemy's own message would carry all values of the statement."""
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="sqlalchemy.engine")
    server.execute("ALTER TABLE kindle.rows ADD CHECK (payload NOT LIKE '%codeword%')", database=database)
    with rig(server, database, tmp_path, "left") as left:
        left.journal.append("R01", "note", {"text": "codeword"}, sample=None, utc=write(left, 1)[0].utc)
        with pytest.raises(KindleError, match="failed") as refused:
            sync(left)
    assert "codeword" not in "".join(traceback.format_exception(refused.value)) + str(refused.value) + caplog.text


@pytest.mark.parametrize("setting", [f'password = "{SECRET}"', f'url = "postgresql://kindle:{SECRET}@lab/study"'])
def test_study_toml_takes_none(tmp_path: Path, setting: str) -> None:
    path = tmp_path / "database.toml"
    path.write_text(f'host = "lab"\nname = "study"\nuser = "kindle"\nrig = "left"\n{setting}\n')
    with pytest.raises(ConfigError, match=r"unknown key `(password|url)`; the keys there are: host, name,") as refused:
        decode_toml(path, DatabaseConfig)
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize("host", [f"kindle:{SECRET}@lab", f"lab password={SECRET}", f"lab?password={SECRET}"])
def test_a_host_with_a_password_in_it_is_refused_unseen(host: str) -> None:
    with pytest.raises(ConfigError, match="is no name or address of a server") as refused:
        check_database(DatabaseConfig(host=host, name="study", user="kindle", rig="left"))
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize("name", ["Left", "", "con", "../left", "left room", "a" * 41])
def test_a_rig_name_that_is_no_folder_name_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="is a folder name too"):
        check_database(DatabaseConfig(host="lab", name="study", user="kindle", rig=name))


def test_a_study_of_one_rig_loads_no_database_library(tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "from kindle.cli import main\n"
        f"for words in (['study', 'init', {str(tmp_path / 'one')!r}], ['due', {str(tmp_path / 'one')!r}]):\n"
        "    sys.argv = ['kindle', *words]\n"
        "    main()\n"
        "assert not {'sqlalchemy', 'psycopg'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "no animals yet" in done.stdout
