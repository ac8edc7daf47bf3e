"""However libpq learns the password, it stands in nothing that kindle writes, logs, prints or refuses with."""

import io
import logging
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest
from laboratory import STUDY, folder_of, rig, typed, write
from postgres_server import RIGS, Server

from kindle.errors import KindleError
from kindle.laboratory.mirror import sync
from tests.bench import bench, config, threshold

SECRET = "s3cret-0f-the-lab"
Give = Callable[[pytest.MonkeyPatch, Path, str], None]


def in_the_environment(monkeypatch: pytest.MonkeyPatch, folder: Path, password: str) -> None:
    monkeypatch.setenv("PGPASSWORD", password)


def in_a_password_file(monkeypatch: pytest.MonkeyPatch, folder: Path, password: str) -> None:
    path = folder / "pgpass"
    path.touch(0o600)
    path.write_text(f"*:*:*:*:{password}\n")
    monkeypatch.setenv("PGPASSFILE", str(path))


def in_a_service_file(monkeypatch: pytest.MonkeyPatch, folder: Path, password: str) -> None:
    path = folder / "service.conf"
    path.write_text(f"[lab]\npassword={password}\n")
    monkeypatch.setenv("PGSERVICEFILE", str(path))
    monkeypatch.setenv("PGSERVICE", "lab")


@pytest.fixture(params=[in_the_environment, in_a_password_file, in_a_service_file], ids=lambda way: way.__name__)
def give(request: pytest.FixtureRequest) -> Give:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def heard(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Every log of every library, as talkative as it can be."""
    for name in (None, "sqlalchemy", "sqlalchemy.engine", "sqlalchemy.pool", "psycopg"):
        caplog.set_level(logging.DEBUG, logger=name)
    return caplog


def written_in(folder: Path) -> str:
    found = (path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())
    return b"".join(found).decode("latin-1")


def test_commands_that_use_it_neither_write_nor_print_it(
    server: Server,
    database: str,
    tmp_path: Path,
    give: Give,
    monkeypatch: pytest.MonkeyPatch,
    heard: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    secrets, lab = tmp_path / "secrets", tmp_path / "lab"
    secrets.mkdir()
    lab.mkdir()
    monkeypatch.delenv("PGPASSFILE")
    give(monkeypatch, secrets, server.password)
    left = folder_of(server, database, lab, "left")
    said = typed("animal", "add", "--study", left, "R01")
    with bench(config(), threshold_ua=15.0) as instruments:
        threshold(left, config(), instruments.instruments)
    for words in (
        ("mirror", "sync", left),
        ("mirror", "show", left),
        ("study", "show", left),
        ("due", left),
        ("verify", left),
        ("report", left),
        ("export", "tables", left, lab / "tables"),
        ("mirror", "release", left, "--animal", "R01"),
    ):
        try:
            said += typed(*words)
        except KindleError as refused:
            said += "".join(traceback.TracebackException.from_exception(refused, capture_locals=True).format())
    assert "rows of this rig (left) are there" in said
    assert (lab / "left" / "report" / "index.html").exists()
    out, err = capfd.readouterr()
    for where in (said, heard.text, out, err, written_in(lab)):
        assert server.password not in where


def test_a_refused_one_is_in_no_message_and_no_trace(
    server: Server,
    database: str,
    tmp_path: Path,
    give: Give,
    monkeypatch: pytest.MonkeyPatch,
    heard: pytest.LogCaptureFixture,
) -> None:
    secrets, lab = tmp_path / "secrets", tmp_path / "lab"
    secrets.mkdir()
    lab.mkdir()
    monkeypatch.delenv("PGPASSFILE")
    give(monkeypatch, secrets, SECRET)
    shown = io.StringIO()
    with rig(server, database, lab, "left") as left:
        write(left, 1)
        with pytest.raises(KindleError, match=f"does not let user '{RIGS}' in") as refused:
            sync(left)
    traceback.TracebackException.from_exception(refused.value, capture_locals=True).print(file=shown)
    for where in (str(refused.value), repr(refused.value), shown.getvalue(), heard.text, written_in(lab)):
        assert SECRET not in where


def test_a_server_that_is_gone_leaves_it_out_of_what_is_said(
    server: Server,
    database: str,
    tmp_path: Path,
    give: Give,
    monkeypatch: pytest.MonkeyPatch,
    heard: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.delenv("PGPASSFILE")
    give(monkeypatch, tmp_path, server.password)
    lab = tmp_path / "lab"
    lab.mkdir()
    with (
        rig(server, database, lab, "left", port=1) as left,
        pytest.raises(KindleError, match="cannot be reached") as refused,
    ):
        sync(left)
    assert STUDY not in str(refused.value)
    told = traceback.TracebackException.from_exception(refused.value, capture_locals=True)
    for where in ("".join(told.format()), repr(refused.value), heard.text, written_in(lab)):
        assert server.password not in where


@pytest.mark.parametrize(
    "line", ['password = "{}"', 'url = "postgresql://kindle:{}@lab/study"', 'host = "kindle:{}@lab"']
)
def test_a_study_that_holds_one_is_refused_without_showing_it(
    server: Server, database: str, tmp_path: Path, line: str
) -> None:
    left = folder_of(server, database, tmp_path, "left")
    settings = left / "study.toml"
    kept = [old for old in settings.read_text().splitlines() if not old.startswith(line.partition(" ")[0] + " ")]
    settings.write_text("\n".join([*kept, line.format(SECRET), ""]))
    for words in (("study", "show", left), ("report", left), ("mirror", "sync", left), ("verify", left)):
        with pytest.raises(KindleError) as refused:
            typed(*words)
        assert SECRET not in str(refused.value)
