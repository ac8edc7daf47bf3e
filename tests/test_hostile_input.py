"""Files, answers and words that somebody made badly, or to do harm: refused in one line, or read, and nothing else."""

import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.reliability.recording_targets import edf
from benchmarks.reliability.target import Target
from kindle.brainvision import parse_markers
from kindle.csv_tables import read_table
from kindle.errors import ConfigError, JournalMismatch, KindleError, RecordingError
from kindle.loading import load
from kindle.rows import SessionStarted, decode
from kindle.telling import MOST_LETTERS, plain, told
from kindle.toml_files import read_toml
from kindle.verification import verify_study
from tests.bench import bench, config, new_study, threshold

if sys.platform != "linux":
    pytest.skip("memory and time of a reader are limited by means of Linux", allow_module_level=True)

from benchmarks.reliability import command_line
from benchmarks.reliability.guard import Forbidden, Hung, limited, watched
from benchmarks.reliability.hostile_child import fuzzed_apart
from benchmarks.reliability.hostile_inputs import fuzzed
from benchmarks.reliability.hostile_targets import targets

HEADER = (
    "Brain Vision Data Exchange Header File Version 1.0\n[Common Infos]\nDataFile=x.eeg\nMarkerFile=x.vmrk\n"
    "DataFormat=BINARY\nDataOrientation=MULTIPLEXED\nNumberOfChannels=1\nSamplingInterval=1000\n"
    "[Binary Infos]\nBinaryFormat=INT_16\n[Channel Infos]\nCh1=EEG,,0.1,uV\n"
)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = new_study(tmp_path_factory.mktemp("hostile") / "study")
    with bench(config(), threshold_ua=15.0) as rig:
        threshold(folder, config(), rig.instruments)
    return folder


def recording(folder: Path, header: str = HEADER, markers: str = "") -> Path:
    (folder / "x.eeg").write_bytes(bytes(2000))
    (folder / "x.vmrk").write_text(markers)
    (folder / "x.vhdr").write_text(header)
    return folder / "x.vhdr"


READERS = (
    *("study.toml", "rig.toml", "preset TOML", "scale TOML", "CSV of one drug", "CSV of two drugs", "journal rows"),
    *("journal, verify", "journal, lists", "journal, export", "journal, preview", "table of results"),
    *("rows of a table of results", "rows of the database", "BrainVision of kindle", "index of kindle", "BrainVision"),
    *("BrainVision markers", "EDF", "BDF", "EEGLAB", "FIF", "Open Ephys", "answers, codecs", "Pulse Pal on the wire"),
    *("StimJim on the wire", "4100 on the wire"),
)
"""What is slow, or needs an extra, is left to the campaign."""


@pytest.fixture(scope="module")
def readers(study: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Target]:
    return {target.name: target for target in targets(study, tmp_path_factory.mktemp("made"))}


@pytest.mark.parametrize("name", READERS)
def test_every_reader_reads_or_refuses_in_one_line_what_is_mutated(
    readers: dict[str, Target], name: str, tmp_path: Path
) -> None:
    tally = fuzzed(readers[name], tmp_path, 60.0, seed=7, most=20)
    assert tally.findings == {}
    assert tally.n == 20


def test_what_ends_the_process_is_told_with_the_input_that_did_it(tmp_path: Path) -> None:
    target = Target("deadly", (b"sound",), after_the_first(ends_the_process))
    tally = fuzzed_apart(target, tmp_path / "given", 5.0, seed=1)
    assert list(tally.findings) == ["the process ends: SIGKILL"]
    assert tally.findings["the process ends: SIGKILL"]


def test_hostile_words_on_the_command_line_end_with_a_code_and_one_line(study: Path, tmp_path: Path) -> None:
    own = Path(shutil.copytree(study, tmp_path / "study"))
    done = command_line.run(own, tmp_path, 60.0, seed=7, most=60)
    assert done.findings == []
    assert set(done.codes) <= {0, 1, 2}
    assert done.n == 60


@pytest.mark.parametrize("text", ["a = " + "9" * 5000, "a = " + "[" * 3000, "a = 1" + "9" * 5000 + ".5x"])
def test_a_number_too_long_or_lists_too_deep_are_refused_as_toml(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match="not valid TOML"):
        read_toml(path)


@pytest.mark.parametrize("payload", ["[]", "1", "null", '{"plan":' + "[" * 5000, ""])
def test_a_journal_row_that_holds_something_else_is_refused(payload: str) -> None:
    with pytest.raises(JournalMismatch, match="cannot be read"):
        decode("session_started", payload, SessionStarted)


def test_a_marker_with_a_number_that_no_recording_reaches_is_a_torn_line() -> None:
    line = b"Mk2=Stimulus,train," + b"9" * 5000 + b",1,0"
    markers, torn = parse_markers(b"[Marker Infos]\r\n" + line + b"\r\n")
    assert markers == []
    assert torn == [line + b"\r"]


@pytest.mark.parametrize("name", ["../x.eeg", "/etc/passwd", "..\\x.eeg", "C:\\x.eeg", "x\0.eeg", "..", "."])
@pytest.mark.parametrize("key", ["DataFile=x.eeg", "MarkerFile=x.vmrk"])
def test_a_header_may_name_no_file_outside_its_folder(tmp_path: Path, key: str, name: str) -> None:
    path = recording(tmp_path, HEADER.replace(key, f"{key.partition('=')[0]}={name}"))
    with pytest.raises(RecordingError, match="no name of a file beside it"):
        load(path)


def test_a_recording_whose_samples_never_come_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="no sampling interval"):
        load(recording(tmp_path, HEADER.replace("=1000", "=inf")))


@pytest.mark.parametrize("sample", ["²", "9" * 5000, "-1", "1.5"])
def test_a_marker_at_no_sample_is_left_out_and_the_rest_is_read(tmp_path: Path, sample: str) -> None:
    markers = f"[Marker Infos]\nMk2=Stimulus,bad,{sample},1,0\nMk3=Stimulus,good,11,²,0\n"
    notes = load(recording(tmp_path, markers=markers)).notes
    assert [(note.text, note.onset_s, note.duration_s) for note in notes] == [("Stimulus/good", 0.01, 0.001)]


@pytest.mark.parametrize(
    "field", [(244, b"nan     "), (244, b"1e300   "), (256 + 3 * (16 + 80 + 8 + 8 + 8), b"inf     ")]
)
def test_an_edf_header_with_impossible_numbers_is_refused(tmp_path: Path, field: tuple[int, bytes]) -> None:
    begin, value = field
    content = edf(annotated=True)
    path = tmp_path / "x.edf"
    path.write_bytes(content[:begin] + value + content[begin + len(value) :])
    with pytest.raises(RecordingError, match="EDF header"):
        load(path)


@pytest.mark.parametrize("content", [b"\xff\xfea", b"(" * 70_000 + b"\n1", b"dose,n\n" + b"1" * 140_000, b"a," * 9000])
def test_what_is_no_table_is_refused_at_once(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(content)
    with limited(), pytest.raises(ConfigError):
        read_table(path)


def test_a_changed_byte_of_the_index_is_told_of_the_index(study: Path) -> None:
    index = next(study.glob("recordings/*/*/index.bin"))
    original = index.read_bytes()
    try:
        index.write_bytes(original[:60] + bytes([original[60] ^ 1]) + original[61:])
        assert index in {problem.path for problem in verify_study(study)}
    finally:
        index.write_bytes(original)


@given(st.text(max_size=5000))
def test_what_a_person_is_told_is_one_printable_line(text: str) -> None:
    line = plain(text)
    assert line.isprintable()
    assert len(line) <= MOST_LETTERS


def test_letters_that_command_the_terminal_are_spelled_out() -> None:
    assert told(KindleError("no animal \x1b[2J\u202e")) == "no animal \\x1b[2J\\u202e"


def writes_elsewhere(given: bytes, folder: Path) -> None:
    (folder.parent / "elsewhere").write_bytes(given)


def runs_code(given: bytes, folder: Path) -> None:
    exec("1")


def starts_a_program(given: bytes, folder: Path) -> None:
    os.system("true")


def never_ends(given: bytes, folder: Path) -> None:
    while True:
        pass


def falls(given: bytes, folder: Path) -> None:
    raise KeyError("x")


def ends_the_process(given: bytes, folder: Path) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


Reader = Callable[[bytes, Path], None]


@pytest.mark.parametrize(
    ("reader", "told_of"),
    [(writes_elsewhere, "for writing"), (runs_code, "runs code"), (starts_a_program, "os.system"), (falls, "KeyError")],
)
def test_the_campaign_finds_a_reader_that_does_harm(tmp_path: Path, reader: Reader, told_of: str) -> None:
    folder = tmp_path / "given"
    folder.mkdir()
    tally = fuzzed(Target("harmful", (b"sound",), after_the_first(reader)), folder, 60.0, seed=1, most=3)
    assert [what for what in tally.findings if told_of in what]
    assert not (tmp_path / "elsewhere").exists()


def after_the_first(reader: Reader) -> Reader:
    """The sound file is read before anything is watched."""
    earlier: list[bytes] = []

    def read(given: bytes, folder: Path) -> None:
        if earlier:
            reader(given, folder)
        earlier.append(given)

    return read


def test_the_campaign_finds_a_reader_that_never_ends() -> None:
    with pytest.raises(Hung), limited(0.05):
        never_ends(b"", Path())


def test_what_is_forbidden_does_not_happen(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    with watched(inside) as seen:
        (inside / "mine").write_text("x")
        with pytest.raises(Forbidden):
            (tmp_path / "other").mkdir()
    assert len(seen) == 1
    assert not (tmp_path / "other").exists()
