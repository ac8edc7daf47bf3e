"""What an animal had within a day, over all its sessions; and warnings that people acknowledge."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from msgspec import structs

from kindle.errors import KindleError, UnsafeStimulus
from kindle.exchange import Trial
from kindle.experimenter import Answer, Experimenter, Unattended
from kindle.prepared import Prepared, charge_of_last_day, prepare_threshold
from kindle.progress import unheard
from kindle.rows import WarningAcknowledged, decode
from kindle.session import Finished, run_threshold, utc_now
from kindle.study import Study, open_study
from tests.bench import STUDY, bench, config, new_study

RIG = config(lockout_after_afterdischarge_s=60.0)
ELECTRODE = '\n[electrode]\nmaterial = "stainless steel"\narea_cm2 = 1e-3\n'


@pytest.fixture
def study(tmp_path: Path) -> Iterator[Study]:
    with open_study(new_study(tmp_path / "study", STUDY + ELECTRODE)) as opened:
        yield opened


def prepared(study: Study, **limits: float) -> Prepared:
    """As for an animal that lives on: what it had before counts."""
    plain = prepare_threshold(study, "R01", RIG)
    return replace(plain, simulated=False, limits=structs.replace(plain.limits, **limits))


def session(study: Study, begun: datetime, plan: Prepared, experimenter: Experimenter | None = None) -> Finished:
    with bench(RIG, threshold_ua=45.0) as rig:
        return run_threshold(
            study,
            plan,
            rig.instruments,
            experimenter or Unattended(),
            unheard,
            now=lambda: begun,
        )


class Says:
    """A person who gives the same answer to every question."""

    def __init__(self, answer: str) -> None:
        self.answer = answer
        self.heard: list[tuple[str, tuple[str, ...]]] = []

    def wants_stop(self) -> bool:
        return False

    def ask(self, text: str, choices: tuple[str, ...]) -> Answer:
        self.heard.append((text, choices))
        return lambda: self.answer

    def mark(self) -> None:
        return None


def acknowledged(study: Study, session: str) -> list[WarningAcknowledged]:
    rows = study.journal.rows(session)
    return [decode(row.kind, row.payload, WarningAcknowledged) for row in rows if row.kind == "warning_acknowledged"]


class TestTheDay:
    def test_the_charge_of_earlier_sessions_counts_for_a_day_and_no_longer(self, study: Study) -> None:
        begun = utc_now()
        session(study, begun, prepared(study))
        (view,) = study.sessions()
        had_uc = sum(trial.delivered.charge_uc for trial in view.trials if isinstance(trial, Trial))
        assert had_uc > 10
        for hours, remembered_uc in ((1, had_uc), (23.99, had_uc), (24.01, 0.0), (-5, had_uc)):
            now = begun + timedelta(hours=hours)
            assert charge_of_last_day(study, "R01", None, now) == pytest.approx(remembered_uc)
        assert charge_of_last_day(study, "R01", view, begun) == 0.0

    def test_a_train_that_the_day_has_no_room_for_is_refused_and_nothing_flows(self, study: Study) -> None:
        begun = utc_now()
        session(study, begun, prepared(study))
        had_uc = charge_of_last_day(study, "R01", None, begun)
        full = prepared(study, max_charge_per_day_uc=had_uc + 1.0)
        with bench(RIG) as rig, pytest.raises(UnsafeStimulus, match=r"within 24 h; max_charge_per_day_uc allows"):
            run_threshold(study, full, rig.instruments, Unattended(), unheard, now=lambda: begun + timedelta(hours=2))
        assert rig.rat.heard == []

    def test_the_next_day_there_is_room_again(self, study: Study) -> None:
        begun = utc_now()
        session(study, begun, prepared(study))
        had_uc = charge_of_last_day(study, "R01", None, begun)
        full = prepared(study, max_charge_per_day_uc=had_uc + 1.0)
        assert session(study, begun + timedelta(hours=25), full).outcome is not None


class TestWarnings:
    def test_each_new_warning_is_shown_with_its_figures_and_the_answer_is_journalled(self, study: Study) -> None:
        person = Says("acknowledged")
        finished = session(study, utc_now(), prepared(study), person)
        texts = [text for text, _ in person.heard]
        assert len(texts) == 2
        assert "uC per phase" in texts[0]
        assert "uC/cm2" in texts[0]
        assert "exceeds the 40 uC/cm2 given for stainless steel" in texts[0]
        assert "Shannon k = 1.5" in texts[1]
        rows = acknowledged(study, finished.session)
        assert [row.answer for row in rows] == ["acknowledged", "acknowledged"]
        assert all(row.report.warning in text for row, text in zip(rows, texts, strict=True))

    def test_a_person_who_says_stop_begins_no_session(self, study: Study) -> None:
        with pytest.raises(KindleError, match="stopped before the session began, at the warning: From 41"):
            session(study, utc_now(), prepared(study), Says("stop"))
        assert study.sessions() == []

    def test_where_nobody_is_there_the_session_goes_on_and_says_that_nobody_acknowledged(self, study: Study) -> None:
        finished = session(study, utc_now(), prepared(study))
        answers = {row.answer for row in acknowledged(study, finished.session)}
        assert answers == {"not acknowledged: nobody was at the rig"}

    def test_a_simulated_rat_needs_no_acknowledgement(self, study: Study) -> None:
        person = Says("stop")
        finished = session(study, utc_now(), prepare_threshold(study, "R01", RIG), person)
        assert person.heard == []
        assert {row.answer for row in acknowledged(study, finished.session)} == {"not asked: a simulated rat"}

    def test_below_every_boundary_nothing_is_asked(self, tmp_path: Path) -> None:
        large = ELECTRODE.replace("1e-3", "1e-1")
        with open_study(new_study(tmp_path / "study", STUDY + large)) as study:
            person = Says("stop")
            finished = session(study, utc_now(), prepared(study), person)
            assert person.heard == []
            assert acknowledged(study, finished.session) == []
