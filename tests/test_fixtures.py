"""The recordings in fixtures/: small, true to what they say, and the same through the whole rig again."""

import json
import shutil
from pathlib import Path

import pytest

from kindle.exchange import Trial
from kindle.progress import unheard
from kindle.protocols.threshold import NoAfterdischarge, ThresholdFound
from kindle.replaying import replay_session
from kindle.study import open_study
from kindle.verification import verify_study

FIXTURES = Path(__file__).parents[1] / "fixtures"
STUDIES = ("threshold", "no_afterdischarge")


@pytest.fixture(params=STUDIES)
def study(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return Path(shutil.copytree(FIXTURES / request.param, tmp_path / request.param))


def recording_of(study: Path) -> Path:
    (header,) = study.glob("recordings/*/*/signal.vhdr")
    return header.parent


def test_each_is_under_a_megabyte() -> None:
    for name in STUDIES:
        assert sum(file.stat().st_size for file in (FIXTURES / name).rglob("*") if file.is_file()) < 1_000_000


def test_each_is_whole(study: Path) -> None:
    assert verify_study(study) == []


def test_a_replay_gives_what_was_recorded_to_the_sample(study: Path) -> None:
    replayed = replay_session(recording_of(study), unheard)
    assert replayed.same
    assert replayed.jumps == 0


def test_the_session_says_what_the_rat_had(study: Path) -> None:
    truth = json.loads((study / "truth.json").read_text())
    with open_study(study) as opened:
        (view,) = opened.sessions()
    match view.outcome:
        case ThresholdFound(above_ua=above, rung_ua=rung):
            assert above < truth["threshold_ua"] <= rung
        case NoAfterdischarge(above_ua=above):
            assert above < truth["threshold_ua"]
        case other:
            pytest.fail(f"unexpected outcome {other}")
    for trial, heard in zip(view.trials, truth["heard"], strict=True):
        assert isinstance(trial, Trial)
        assert trial.measured.onset_sample == pytest.approx(heard["start_us"] / 1000, abs=1)
        assert bool(trial.afterdischarges) == (heard["discharge_us"] is not None)
        if heard["discharge_us"]:
            event = trial.afterdischarges[0]
            assert event.onset_sample == pytest.approx(heard["discharge_us"][0] / 1000, abs=250)
            assert event.end_sample == pytest.approx(heard["discharge_us"][1] / 1000, abs=250)
