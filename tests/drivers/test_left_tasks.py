"""Tasks that a killed program left at a device server: cleared by the next one, and never anybody else's."""

import getpass
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import nidaqmx
import pytest
from nidaq_bench import INPUTS, RATE_HZ, WIRES
from nidaqmx.errors import RpcError
from nidaqmx.grpc_session_options import SessionInitializationBehavior

from drivers.interface import DeviceRefused
from drivers.nidaq import NidaqSource
from drivers.nidaq_device import open_channel
from drivers.nidaq_sessions import clear_left, new_task
from drivers.simulated.board import Board
from drivers.simulated.clock import DemandClock
from drivers.simulated.nidaq_server import NidaqServer
from drivers.task_notes import TaskNotes

PROGRAM = """
import sys
from nidaq_bench import INPUTS, RATE_HZ
from drivers.nidaq import NidaqSource
source = NidaqSource("Dev1", INPUTS, RATE_HZ, block=100, remote=sys.argv[1])
source.start()
print(*source.read(100).shape, flush=True)
while sys.stdin.readline():
    print(*source.read(100).shape, flush=True)
source.close()
"""


@pytest.fixture(autouse=True)
def notes_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of servers on this computer."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path / f"kindle-{getpass.getuser()}"


@pytest.fixture
def server() -> Iterator[NidaqServer]:
    with NidaqServer([Board(DemandClock(), WIRES)]) as server:
        yield server


@contextmanager
def program(server: NidaqServer) -> Iterator[subprocess.Popen[str]]:
    """Another program on this computer that reads from the board, a block for each line that it is sent."""
    here = Path(__file__).parent
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, server.address],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=here.parents[1],
        env={**os.environ, "PYTHONPATH": f"{here}{os.pathsep}{here.parents[1]}"},
    )
    with process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "4 100\n"
            yield process
        finally:
            process.kill()


def source_at(server: NidaqServer) -> NidaqSource:
    return NidaqSource("Dev1", INPUTS, RATE_HZ, block=100, remote=server.address)


def test_what_a_killed_program_left_is_cleared_by_the_next_one(server: NidaqServer, notes_folder: Path) -> None:
    for _ in range(2):
        with program(server) as process:
            process.kill()
            process.wait(10.0)
    (note,) = notes_folder.iterdir()
    assert note.read_text(encoding="utf-8").startswith("kindle_")
    source = source_at(server)
    source.start()
    assert source.read(100).shape == (4, 100)
    source.close()
    assert list(notes_folder.iterdir()) == []


def test_a_program_that_lives_keeps_its_task(server: NidaqServer) -> None:
    with program(server) as process:
        source = source_at(server)
        with pytest.raises(DeviceRefused, match="code -50103"):
            source.start()
        source.close()
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("more\n")
        process.stdin.flush()
        assert process.stdout.readline() == "4 100\n"


def test_a_task_of_somebody_else_is_never_cleared(server: NidaqServer) -> None:
    with open_channel(server.address) as link:
        theirs = new_task(link, "kindle_0123456789ab")
        theirs.ai_channels.add_ai_voltage_chan("Dev1/ai5")
        theirs.start()
        source = source_at(server)
        with pytest.raises(DeviceRefused, match="close the program that holds it"):
            source.start()
        source.close()
        assert not theirs.is_task_done()
        theirs.close()


def test_a_task_that_could_not_be_cleared_stays_noted(server: NidaqServer, notes_folder: Path) -> None:
    source = source_at(server)
    source.start()
    server.__exit__(None, None, None)
    source.close()
    (note,) = notes_folder.iterdir()
    assert note.read_text(encoding="utf-8") == f"{source.task_name}\n"


def test_a_source_that_is_opened_again_leaves_one_task_and_one_note(server: NidaqServer, notes_folder: Path) -> None:
    source = source_at(server)
    source.start()
    source.reopen()
    (note,) = notes_folder.iterdir()
    assert note.read_text(encoding="utf-8") == f"{source.task_name}\n"
    assert source.read(100).shape == (4, 100)
    source.close()
    assert list(notes_folder.iterdir()) == []


def test_without_a_place_for_notes_everything_else_works(server: NidaqServer, notes_folder: Path) -> None:
    notes_folder.write_text("a file where the folder should be")
    source = source_at(server)
    source.start()
    assert source.read(100).shape == (4, 100)
    source.close()


class TestNotes:
    @pytest.fixture(autouse=True)
    def notes_folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """Of servers on other computers."""
        for name in ("XDG_STATE_HOME", "LOCALAPPDATA"):
            monkeypatch.setenv(name, str(tmp_path))
        return tmp_path / "kindle"

    def test_one_program_holds_them_at_a_time(self) -> None:
        first = TaskNotes("daq:1", "Dev1")
        first.note("a")
        second, other = TaskNotes("daq:1", "DEV1"), TaskNotes("daq:1", "Dev2")
        second.note("b")
        other.note("c")
        assert (first.left, second.left, other.left) == (("a",), (), ("c",))
        second.close()
        first.close()
        third = TaskNotes("daq:1", "Dev1")
        assert third.left == ("a",)
        third.close()
        other.close()

    def test_only_what_was_not_struck_off_is_left(self) -> None:
        notes = TaskNotes("daq:1", "Dev1")
        for name in ("first", "second", "third"):
            notes.note(name)
        notes.strike("second")
        notes.strike("never noted")
        notes.close()
        again = TaskNotes("daq:1", "Dev1")
        assert again.left == ("first", "third")
        again.close()

    def test_an_address_cannot_lead_out_of_their_folder(self, notes_folder: Path) -> None:
        notes = TaskNotes("../../daq:1", "Dev1/../..")
        notes.note("a")
        (note,) = notes_folder.iterdir()
        assert note.name.endswith(".._.._daq_1 dev1_.._...tasks")
        notes.close()

    def test_damaged_notes_are_no_notes(self, notes_folder: Path) -> None:
        notes = TaskNotes("daq:1", "Dev1")
        notes.note("a")
        notes.close()
        (note,) = notes_folder.iterdir()
        note.write_bytes(b"\xff\xfe")
        assert TaskNotes("daq:1", "Dev1").left == ()


class TestAsTheServerHasIt:
    """``ni/grpc-device``, session_repository.cpp: a status of gRPC's own, without a code of the driver."""

    def test_a_name_that_is_taken_is_refused_to_whoever_wants_a_new_task(self, server: NidaqServer) -> None:
        with open_channel(server.address) as link:
            mine = new_task(link, "eeg")
            with pytest.raises(RpcError) as refused:
                new_task(link, "eeg")
            assert refused.value.rpc_code == grpc.StatusCode.ALREADY_EXISTS
            mine.close()
            new_task(link, "eeg").close()

    def test_nobody_attaches_to_what_is_not_there(self, server: NidaqServer) -> None:
        with open_channel(server.address) as link:
            behaviour = SessionInitializationBehavior.ATTACH_TO_SERVER_SESSION
            options = nidaqmx.GrpcSessionOptions(link, "eeg", initialization_behavior=behaviour)
            with pytest.raises(RpcError) as refused:
                nidaqmx.Task("eeg", grpc_options=options)
            assert refused.value.rpc_code == grpc.StatusCode.FAILED_PRECONDITION
            assert not clear_left(link, "eeg")
            new_task(link, "eeg")
            assert clear_left(link, "eeg")
            assert not clear_left(link, "eeg")

    def test_a_task_outlives_the_link_that_it_was_made_over(self, server: NidaqServer) -> None:
        with open_channel(server.address) as link:
            new_task(link, "eeg")
        with open_channel(server.address) as link:
            assert clear_left(link, "eeg")

    def test_a_server_that_is_gone_is_no_proof_that_nothing_was_left(self, server: NidaqServer) -> None:
        server.__exit__(None, None, None)
        with open_channel(server.address) as link, pytest.raises(RpcError):
            clear_left(link, "eeg")
