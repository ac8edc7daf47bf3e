"""Files of other programs that would make a library below kindle hang, fill the memory or end the process."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from kindle.errors import RecordingError
from kindle.fif_tags import check_tags
from kindle.loading import load
from kindle.matlab_elements import check_elements

EEG = {"data": np.arange(40, dtype=np.float32).reshape(2, 20), "srate": 500.0, "labels": np.array(["a", "bc"], object)}
DOUBLE, INT32, UINT32, MATRIX, COMPRESSED = 9, 5, 6, 14, 15


def element(type: int, content: bytes) -> bytes:
    return struct.pack("<II", type, len(content)) + content + bytes(-len(content) % 8)


def variable(
    *values: bytes, flags: int = 6, dimensions: tuple[int, ...] = (1, 1), name: bytes = b"x", type: int = MATRIX
) -> bytes:
    size = struct.pack(f"<{len(dimensions)}i", *dimensions)
    head = element(UINT32, struct.pack("<II", flags, 0)) + element(INT32, size) + element(1, name)
    return element(type, head + b"".join(values))


ONE = element(DOUBLE, struct.pack("<d", 1.0))


def matlab(path: Path, *variables: bytes) -> Path:
    path.write_bytes(b"MATLAB 5.0".ljust(124) + b"\x00\x01IM" + b"".join(variables))
    return path


@pytest.mark.parametrize("compressed", [False, True])
def test_what_scipy_writes_is_sound(tmp_path: Path, compressed: bool) -> None:
    savemat(tmp_path / "x.set", {"EEG": EEG, "z": 1 + 2j, "empty": []}, do_compression=compressed, appendmat=False)
    check_elements(tmp_path / "x.set")


def test_a_variable_by_hand_is_sound(tmp_path: Path) -> None:
    check_elements(matlab(tmp_path / "x.set", variable(ONE), variable(ONE, ONE, flags=0x0806)))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (variable(element(8, b"\0" * 8)), "values of the type 8"),
        (variable(ONE, flags=0x0806) + variable(ONE), "longer than the variable"),
        (variable(ONE, flags=99), "unknown class 99"),
        (variable(ONE, dimensions=(1000, 1000)), "1000 x 1000 values has 16 bytes"),
        (variable(ONE, dimensions=(-1, 1)), "the size"),
        (variable(ONE, dimensions=()), "the size"),
        (variable(ONE, dimensions=(1,) * 40), "the size"),
        (variable(ONE, flags=1), "values of the type 9"),
        (variable(element(INT32, struct.pack("<i", 0)), element(1, b"ab"), flags=2), "have no length"),
        (variable(ONE)[:-3], "ends within a variable"),
        (struct.pack("<II", MATRIX, 1 << 31), "ends within a variable"),
        (element(COMPRESSED, b"no zlib"), "compressed variable is damaged"),
        (element(COMPRESSED, zlib.compress(variable(ONE))[:30]), "ends within a compressed variable"),
    ],
)
def test_a_matlab_file_built_otherwise_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = matlab(tmp_path / "x.set", content)
    with pytest.raises(ValueError, match=message):
        check_elements(path)
    with pytest.raises(RecordingError, match=message):
        load(path)


def test_variables_that_lie_too_deep_in_one_another_are_refused(tmp_path: Path) -> None:
    nested = variable(ONE, name=b"")
    for _ in range(60):
        nested = variable(nested, flags=1, name=b"")
    with pytest.raises(ValueError, match="too deep"):
        check_elements(matlab(tmp_path / "x.set", nested))


def test_a_compressed_variable_is_never_whole_in_memory(tmp_path: Path) -> None:
    import tracemalloc

    doubles = bytes(40_000_000)
    packed = element(COMPRESSED, zlib.compress(variable(element(DOUBLE, doubles), dimensions=(1, 5_000_000))))
    path = matlab(tmp_path / "x.set", packed[: 8 + struct.unpack("<I", packed[4:8])[0]])
    del doubles, packed
    tracemalloc.start()
    check_elements(path)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 2_000_000


def tag(kind: int, n_bytes: int, following: int, content: bytes = b"") -> bytes:
    return struct.pack(">iiii", kind, 3, n_bytes, following) + content


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (tag(100, 0, 0) + tag(101, 0, 16), "byte 16 leads nowhere"),
        (tag(100, -16, 0), "-16 bytes"),
        (tag(100, 2_000_000_000, 0), "2000000000 bytes, the file 16"),
        (tag(100, 0, -7), "leads nowhere"),
        (tag(102, 16, -1, struct.pack(">iiii", 1, 3, 4, -5)), "a tag stands at byte -5"),
        (tag(102, 16, -1, struct.pack(">iiii", 1, 3, 4, 32)) + tag(1, 1 << 30, 0), "bytes, the file"),
    ],
)
def test_a_fif_file_whose_tags_lead_astray_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "x_raw.fif"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        check_tags(path)
    with pytest.raises(RecordingError, match=message):
        load(path)


@pytest.mark.parametrize("name", ["x_raw.fif", "x_raw.fif.gz"])
def test_what_mne_writes_leads_to_its_end(tmp_path: Path, name: str) -> None:
    import mne

    info = mne.create_info(["EEG"], 500.0, "eeg")
    mne.io.RawArray(np.zeros((1, 2000)), info, verbose="ERROR").save(tmp_path / name, verbose="ERROR")
    check_tags(tmp_path / name)
    assert load(tmp_path / name).n_samples == 2000
