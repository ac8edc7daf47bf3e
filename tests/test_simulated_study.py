"""A study of a few simulated rats from the threshold to the dose-response, and what is said of it."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from drivers.simulated.pharmacology import VALPROATE
from kindle.commands.demo import demo
from kindle.ledger_view import ledger_of
from kindle.protocols.threshold import NoAfterdischarge, ThresholdFound
from kindle.recovery import DoseTested, Findings, ThresholdCheck, told
from kindle.simulated_study import DOSES_MG_PER_KG, PRETREATMENT_S, run_simulated_study
from kindle.study import open_study
from kindle.verification import verify_study


def test_a_small_study_runs_to_its_end_and_finds_what_was_planted(tmp_path: Path) -> None:
    shares: list[float] = []
    found = run_simulated_study(
        tmp_path / "s", n_rats=2, per_rig=2, seed=1, tell=lambda share, what: shares.append(share)
    )
    assert [check.recovered for check in found.thresholds] == [True] * 2
    assert len(found.tested) + len(found.lost) == 2
    assert {test.mg_per_kg for test in found.tested} <= set(DOSES_MG_PER_KG)
    assert len(found.trains_to_criterion) == 2
    assert len(found.controls) >= 4
    assert all(8 <= trains <= 34 for trains in found.trains_to_criterion)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0

    planted = json.loads((tmp_path / "s" / "population.json").read_text(encoding="utf-8"))
    assert planted["population"]["seed"] == 1
    assert planted["ed50_mg_per_kg"] == pytest.approx(VALPROATE.ed50_after(PRETREATMENT_S))
    assert verify_study(tmp_path / "s" / "rig-1") == []
    with open_study(tmp_path / "s" / "rig-1") as study:
        tested = {test.animal for test in found.tested}
        ledgers = [ledger_of(study.journal, animal) for animal in sorted(study.animals())]
        assert {ledger.animal for ledger in ledgers if ledger.injections} == tested
        for view in study.sessions():
            assert view.outcome is not None
        given = [injection.mg_per_kg for ledger in ledgers for injection in ledger.injections]
        assert all(min(abs(mg - dose) for dose in DOSES_MG_PER_KG) < 0.5 for mg in given if mg is not None)
        drugged = [view for view in study.sessions() if getattr(view.started.plan, "injections", ())]
        for view in drugged:
            assert view.outcome is not None
            (waited,) = view.outcome.pretreated  # type: ignore[union-attr]
            assert waited.waited_s == pytest.approx(PRETREATMENT_S, abs=60.0)


def check(planted_ua: float) -> ThresholdCheck:
    return ThresholdCheck("R1", planted_ua, ThresholdFound(100.0, 120.0), 1.2)


def test_a_threshold_is_recovered_within_one_step_around_its_interval() -> None:
    assert [check(ua).recovered for ua in (83.0, 84.0, 110.0, 143.0, 145.0)] == [False, True, True, True, False]
    assert not ThresholdCheck("R1", 700.0, NoAfterdischarge(600.0), 1.2).recovered


def test_the_findings_say_what_was_recovered_and_what_was_not() -> None:
    table = ((60.0, 1), (85.0, 3), (120.0, 5), (170.0, 7))
    tested = tuple(DoseTested(f"R{n}", dose, n < protected) for dose, protected in table for n in range(8))
    findings = Findings((check(110.0), check(10.0)), (14, 20), (False,) * 16, tested, ("R9: died on day 3",))
    lines = list(told(findings, 100.0))
    assert lines[0] == "thresholds: 1 of 2 recovered within one step of the ladder"
    assert lines[1].startswith("  not recovered: R1: planted 10.0 uA, threshold in (100")
    assert "  lost: R9: died on day 3" in lines
    assert "85 mg/kg: 3 of 8 rats protected" in lines
    assert lines[-1].endswith("planted 100.0: recovered")
    assert list(told(findings, 300.0))[-1].endswith("planted 300.0: NOT recovered")


def test_a_table_without_partial_responses_gives_no_ed50() -> None:
    tested = tuple(DoseTested("R1", dose, dose > 100) for dose in DOSES_MG_PER_KG)
    assert "not recovered" in list(told(Findings(tested=tested), 100.0))[-1]


def test_one_planted_threshold_does_not_go_with_a_population() -> None:
    done = CliRunner().invoke(demo, ["--study", "--threshold-ua", "50"])
    assert done.exit_code == 2
    assert "draw their own" in done.output
