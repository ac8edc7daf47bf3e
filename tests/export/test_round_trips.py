"""What goes out and comes back is detected identically: every format, the fixtures and a recording with a gap."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from exported_studies import fixture_study, gapped_study, opened

from detectors.criterion import Criterion
from kindle.export.edf import write_edf
from kindle.export.fif import write_fif
from kindle.importing import Wanted, import_recording
from kindle.reanalysis import reanalyse
from kindle.results import ChannelResult
from kindle.session import utc_now
from kindle.study import open_study

CRITERION = Criterion(onset_window_s=8.0, baseline_s=10.0, secondary_window_s=10.0)


def to_nwb(study: Any, chosen: Any, folder: Path, meter: Any) -> list[Path]:
    pytest.importorskip("pynwb")
    from kindle.export.nwb import write_nwb

    return write_nwb(study, chosen, folder, meter)


def to_bids(study: Any, chosen: Any, folder: Path, meter: Any) -> list[Path]:
    pytest.importorskip("mne_bids")
    from kindle.export.bids import write_bids

    return write_bids(study, chosen, folder, meter)


FORMATS: dict[str, Callable[..., list[Path]]] = {
    "nwb": to_nwb,
    "bids": to_bids,
    "mne": write_fif,
    "edf": lambda study, chosen, folder, meter: write_edf(chosen, folder, meter),
}


def exported(folder: Path, study: Path, format: str) -> list[Path]:
    folder.mkdir()
    with opened(study) as (one, chosen, meter):
        return FORMATS[format](one, chosen, folder, meter)


def judged(path: Path, stimulus: Any = None) -> list[ChannelResult]:
    result = reanalyse(path, channels=None, stimulus=stimulus, criterion=CRITERION, train_s=1.0)
    assert any(channel.trials or channel.seizures for channel in result.channels)
    return result.channels


def recorded(study: Path) -> Path:
    return next((study / "recordings").glob("*/*_threshold"))


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("name", ["threshold", "no_afterdischarge"])
def test_an_export_is_detected_as_the_recording_is(tmp_path: Path, name: str, format: str) -> None:
    study = fixture_study(tmp_path / "study", name)
    (path,) = exported(tmp_path / "out", study, format)
    assert judged(path) == judged(recorded(study))


@pytest.mark.parametrize("format", ["edf", "mne", "bids"])
def test_both_sides_of_a_gap_hold_what_the_whole_has(tmp_path: Path, format: str) -> None:
    study = gapped_study(tmp_path / "study")
    whole = [trial for channel in judged(recorded(study)) for trial in channel.trials]
    parts = [
        trial
        for path in exported(tmp_path / "out", study, format)
        for channel in judged(path)
        for trial in channel.trials
    ]
    assert [trial.verdict for trial in parts] == [trial.verdict for trial in whole]
    lengths = [[event.duration_s for event in trial.afterdischarges] for trial in parts]
    assert lengths == [[event.duration_s for event in trial.afterdischarges] for trial in whole]


def test_an_nwb_file_holds_the_gap_and_is_detected_as_the_recording_is(tmp_path: Path) -> None:
    study = gapped_study(tmp_path / "study")
    (path,) = exported(tmp_path / "out", study, "nwb")
    assert judged(path) == judged(recorded(study))


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("made", [gapped_study, lambda folder: fixture_study(folder, "threshold")])
def test_an_export_that_is_imported_again_is_detected_identically(
    tmp_path: Path, made: Callable[[Path], Path], format: str
) -> None:
    study = made(tmp_path / "study")
    animal = recorded(study).parent.name
    written = exported(tmp_path / "out", study, format)
    found: list[Sequence[ChannelResult]] = []
    with open_study(study) as one:
        for path in written:
            row = import_recording(one, animal, path, Wanted(), utc_now())
            assert all(channel.exact for channel in row.channels)
            # MNE has no type for a monitor of current.
            monitor = "aux" if format == "mne" else "current_monitor"
            assert {channel.role for channel in row.channels} == {"eeg", "stimulus_ttl", monitor}
            found.append(judged(study / row.folder))
    assert found == [judged(path) for path in written]
