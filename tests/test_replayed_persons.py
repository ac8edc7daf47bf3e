"""A session that a person took part in, replayed: what was said and done comes at its place, with its outcome."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from test_timed_tests import SYRINGE, TEST, Late

from kindle.conducting import Conductor, Shown
from kindle.exchange import VoidTrial
from kindle.keeping import weigh
from kindle.ordering import Order
from kindle.progress import unheard
from kindle.protocols.drug_test import DrugTested
from kindle.replaying import Replayed, replay_session
from kindle.situation import Phase
from kindle.study import open_study
from tests.bench import Rig, bench, config, kinds_of, new_study, session_of
from tests.conducted import KINDLING, Hand, conducted
from tests.test_voiding import PLUG, Hasty, once
from tests.treatment_text import VALPROATE_200


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return new_study(tmp_path / "study")


@pytest.fixture
def rig() -> Iterator[Rig]:
    with bench(config(), threshold_ua=27.0) as made:
        yield made


def replayed(study: Path) -> Replayed:
    return replay_session(study / session_of(study).recordings[0].folder, unheard)


@pytest.mark.parametrize(
    ("phase", "n_trials"), [(Phase.TRAIN, 1), (Phase.WATCHING, 1), (Phase.RESTING, 2), (Phase.READY, 2)]
)
def test_a_void_comes_at_its_place(study: Path, rig: Rig, phase: Phase, n_trials: int) -> None:
    conducted(study, rig.instruments, Hasty(once(phase, n_trials)))
    again = replayed(study)
    assert again.same
    assert again.jumps == 0
    assert again.recorded_trials == tuple(session_of(study).trials)
    assert [isinstance(trial, VoidTrial) for trial in again.trials_now] == [False, True, False, False]


def test_a_void_at_the_end_comes_at_its_place(study: Path, rig: Rig) -> None:
    conducted(study, rig.instruments, Hand(once(Phase.WATCHING, 2)))
    assert replayed(study).same


def test_the_stage_that_was_said_is_said_again_and_a_void_before_it_too(study: Path) -> None:
    (study / "study.toml").write_text(KINDLING, encoding="utf-8")

    def deed(conductor: Conductor, shown: Shown) -> None:
        if shown.question is not None:
            if not asked:
                conductor.void(PLUG)
            asked.append(shown.question.text)
            conductor.answer("3")

    asked: list[str] = []
    with bench(config(), threshold_ua=200.0) as made:
        conducted(study, made.instruments, Hand(deed), Order("kindling", "R01"))
    assert len(asked) == 2
    assert replayed(study).same


def test_a_train_that_was_allowed_late_is_given_late_again(tmp_path: Path) -> None:
    study = new_study(tmp_path / "study", KINDLING + SYRINGE + VALPROATE_200)
    with open_study(study) as opened:
        weigh(opened, "R01", 253.0, datetime.now(UTC))
    with bench(config(), threshold_ua=400.0) as made:
        conducted(study, made.instruments, Hand(Late(70.0, "yes"), acts=False), TEST)
    assert isinstance(session_of(study).outcome, DrugTested)
    assert kinds_of(study).count("late_test_allowed") == 1
    again = replayed(study)
    assert again.same
    assert again.jumps == 0
