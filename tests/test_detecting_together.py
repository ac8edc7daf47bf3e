"""Reanalysis shared out over processes and drawn as figures; the results are the same however it is done."""

from itertools import pairwise
from pathlib import Path

import mne
import numpy as np
import pytest
from click.testing import CliRunner
from matplotlib.image import imread
from test_reanalysis import CRITERION, RATE_HZ, edf, trial, ttl

from kindle import reanalysis
from kindle.commands.detect import detect
from kindle.mapped import MappedSignals
from kindle.reanalysis import Asked, judge, parts, plan, reanalyse, together
from kindle.report.strip_figure import draw_figures, names_of
from kindle.spreading import at_once, processes
from kindle.stimulus_spec import NoStimulus


@pytest.fixture
def four_channels(tmp_path: Path) -> Path:
    channels = {name: trial(k, with_discharge=k % 2 == 0) for k, name in enumerate(("A", "B", "C", "D"))}
    return edf(tmp_path / "four.edf", {**channels, "TTL": ttl()})


@pytest.mark.parametrize("workers", [2, 3, 4, 9])
def test_results_are_the_same_however_the_channels_are_shared_out(
    four_channels: Path, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = plan(four_channels, Asked(CRITERION))
    whole = together(planned, [judge(part) for part in parts(planned, 1)]).result()
    monkeypatch.setattr(reanalysis, "WORTH_SPLITTING", 0)
    shared = parts(planned, workers)
    assert len(shared) == min(workers, 4)
    assert together(planned, [judge(part) for part in shared]).result() == whole


def test_processes_find_what_is_found_here(four_channels: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = {"channels": None, "stimulus": None, "criterion": CRITERION, "train_s": 1.0}
    here = reanalyse(four_channels, **asked)
    monkeypatch.setattr(reanalysis, "WORTH_SPLITTING", 0)
    told: list[float] = []
    with processes(2, lambda key, share: told.append(share)) as executor:
        assert reanalyse(four_channels, **asked, executor=executor, workers=2) == here
    assert max(told) > 0.9
    assert here.channels[0].trials[0].verdict == "afterdischarge"


def findings_of(path: Path, asked: Asked) -> tuple[reanalysis.Plan, object]:
    planned = plan(path, asked)
    with at_once() as executor:
        return planned, together(planned, [executor.submit(judge, part).result() for part in parts(planned, 1)])


def test_every_trial_has_a_figure_whatever_its_verdict(four_channels: Path, tmp_path: Path) -> None:
    _, findings = findings_of(four_channels, Asked(CRITERION))
    drawn = draw_figures(findings, CRITERION, tmp_path / "figures", "four")
    assert [path.name for path in drawn] == [f"four_{name}_trial01.png" for name in "ABCD"]
    with_discharge, without = (imread(path)[..., :3] for path in drawn[:2])
    assert with_discharge.shape == without.shape
    sky = np.array([0x56, 0xB4, 0xE9]) / 255 * 0.3 + 0.7
    assert (np.abs(with_discharge - sky) < 0.02).all(axis=-1).mean() > 0.05
    assert (np.abs(without - sky) < 0.02).all(axis=-1).mean() < 0.001


def test_a_seizure_without_a_train_has_a_figure_and_a_quiet_channel_none(tmp_path: Path) -> None:
    path = edf(tmp_path / "b.edf", {"HPC": trial(pulses=False), "CTX": trial(1, with_discharge=False, pulses=False)})
    _, findings = findings_of(path, Asked(CRITERION, stimulus=NoStimulus()))
    drawn = draw_figures(findings, CRITERION, tmp_path / "figures", "b")
    assert [path.name for path in drawn] == ["b_HPC_seizure01.png"]


def test_recordings_of_the_same_name_have_figures_of_different_names() -> None:
    paths = [Path("a/rat.edf"), Path("b/rat.edf"), Path("S1/signal.vhdr")]
    names = names_of(paths)
    assert names == ["rat", "rat-2", "S1"]


def test_the_command_draws_and_says_how_many(four_channels: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(detect, [str(four_channels), "--figures", str(tmp_path / "f"), "--jobs", "1"])
    assert done.exit_code == 0, done.output
    assert "4 figures" in done.output
    assert len(list((tmp_path / "f").iterdir())) == 4


def test_a_long_file_is_read_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = mne.io.RawArray(
        1e-6 * np.stack([trial(), trial(1)]), mne.create_info(["A", "B"], RATE_HZ, "eeg"), verbose="ERROR"
    )
    uv = raw.get_data()
    (tmp_path / "x.eeg").write_bytes(np.ascontiguousarray(np.rint(uv * 1e7).T).astype("<i2").tobytes())
    (tmp_path / "x.vhdr").write_text(
        "Brain Vision Data Exchange Header File Version 1.0\n[Common Infos]\nDataFile=x.eeg\nNumberOfChannels=2\n"
        f"SamplingInterval={1e6 / RATE_HZ}\n[Binary Infos]\nBinaryFormat=INT_16\n[Channel Infos]\n"
        "Ch1=A,,0.1\nCh2=B,,0.1\n"
    )
    spans: list[tuple[int, int]] = []
    read = MappedSignals.read

    def watched(self: MappedSignals, names: tuple[str, ...], first: int, last: int) -> np.ndarray:
        spans.append((first, last))
        return read(self, names, first, last)

    monkeypatch.setattr(MappedSignals, "read", watched)
    monkeypatch.setattr(reanalysis, "WINDOW_SAMPLES", 20_000)
    reanalyse(tmp_path / "x.vhdr", channels=None, stimulus=NoStimulus(), criterion=CRITERION, train_s=1.0)
    assert max(last - first for first, last in spans) == 10_000
    assert [b[0] - a[1] for a, b in pairwise(spans) if b[0] > 0] == [0] * (len(spans) - 2)
