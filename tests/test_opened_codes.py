"""A blinded study before and after somebody opens its codes: what every view says, and what it cannot say before."""

import io
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from msgspec import structs
from told_study import BEGUN, KINDLING, SCALE, told_trial

from kindle.blinding import design_of, in_the_open, opened_act, store_design, unblind
from kindle.cli import main
from kindle.course_in_force import course_of
from kindle.design import Key, blocks
from kindle.doses import Syringe, draw_coded
from kindle.errors import ConfigError, KindleError
from kindle.exchange import CodedDose, Inject, Injected, Scored, ScoreSeizure, Stimulate
from kindle.ledger_view import ledger_of
from kindle.opened_codes import outcome_with_codes_opened
from kindle.protocols.catalogue import describe_outcome
from kindle.protocols.drug_test import DrugTested, DrugTestPlan, DrugTestStopped
from kindle.protocols.injecting import Injection, Pretreated
from kindle.protocols.kindling import KindlingDone
from kindle.protocols.ptz import NotObserved
from kindle.rows import Animal, Answered, Asked, SessionEnded, SessionStarted, kind_of
from kindle.study import CONFIG, Study, create_study, open_study
from kindle.treatments import bottles_of
from tests.reported_sessions import LIMITS
from tests.treatment_text import VALPROATE_200

STUDY = (
    """\
name = "blind"
[syringe]
graduation_ml = 0.02
capacity_ml = 2.0
[blinding]
ml_per_kg = 2.0
route = "i.p."
pretreatment_min = 15.0
"""
    + VALPROATE_200
    + """\
[[treatments]]
name = "vehicle"
vehicle = { substance = "saline", ml_per_kg = 2.0, route = "i.p.", pretreatment_min = 15.0 }
[[treatments]]
name = "both"
[[treatments.injections]]
substance = "magnesium sulfate heptahydrate"
amount_per_kg = 60.0
basis = "mg_salt"
mg_per_ml = 30.0
route = "i.p."
pretreatment_min = 15.0
[[treatments.injections]]
substance = "sodium valproate"
amount_per_kg = 100.0
basis = "mg_free"
mg_per_ml = 57.6
route = "i.p."
pretreatment_min = 15.0
"""
)
LATER = datetime(2027, 1, 4, tzinfo=UTC)


class Blind:
    """A study of one rat with a blinded day of each code, at 253 g in a syringe with marks of 0.02 ml."""

    def __init__(self, folder: Path) -> None:
        create_study(folder / "study", STUDY)
        self.folder, self.key = folder / "study", folder / "key.json"
        with open_study(self.folder) as study:
            study.add_animal(Animal("R01"), BEGUN)
            names = [treatment.name for treatment in study.config.treatments]
            store_design(study, blocks(["R01"], names, 1), BEGUN, key_file=self.key)
            self.codes = {
                name: code for code, name in msgspec.json.decode(self.key.read_bytes(), type=Key).codes.items()
            }
            for n, code in enumerate(sorted(self.codes.values())):
                _drug_day(study, n, code, stage=0.0)

    def open(self) -> None:
        with open_study(self.folder) as study:
            unblind(study, self.key, "Ada", "all tests are done", LATER)

    def code(self, treatment: str) -> str:
        return self.codes[treatment]


def _drug_day(study: Study, n: int, code: str, stage: float) -> None:
    dose = CodedDose(code, 2.0, "i.p.", 900.0)
    drawn = draw_coded(dose, 253.0, Syringe(0.02, 2.0))
    plan = DrugTestPlan("hannover_daily", (Injection(dose, drawn),), 60.0, KINDLING, code)
    pretreated = (Pretreated(f"code {code}", 900.0, 900.0),)
    rows = (
        SessionStarted("R01", "drug-test", plan, (), LIMITS, (), "told", {}),
        Asked(Inject(dose, drawn)),
        Answered(Injected(dose, 0, drawn)),
        Asked(Stimulate(KINDLING.one_train)),
        Answered(told_trial(10.0)),
        Asked(ScoreSeizure(SCALE)),
        Answered(Scored(SCALE, stage)),
        SessionEnded(DrugTested(pretreated, KindlingDone(()))),
    )
    for second, row in enumerate(rows):
        utc = BEGUN + timedelta(days=8 * n, seconds=second)
        study.journal.append(f"R01_{n}_drug-test", kind_of(row), row, sample=0, utc=utc)


@pytest.fixture
def blind(tmp_path: Path) -> Blind:
    return Blind(tmp_path)


def said(*words: object) -> str:
    out = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out):
        patch.setattr(sys, "argv", ["kindle", *map(str, words)])
        main()
    return out.getvalue()


def views(blind: Blind) -> Iterator[str]:
    yield said("study", "show", blind.folder)
    yield said("animal", "show", "--study", blind.folder, "R01")
    yield said("study", "responders", blind.folder, "--tests", 2)


def test_before_the_codes_are_open_no_view_names_a_treatment(blind: Blind) -> None:
    for told in views(blind):
        assert "valproate" not in told
        assert "vehicle" not in told
        assert "code A" in told or "\nA\n" in told
    assert "condition A\n" in said("show", "--study", blind.folder, "R01_0_drug-test:1")
    with open_study(blind.folder) as study:
        ledger = ledger_of(study.journal, "R01", UTC)
        assert course_of(study, "R01").tests == design_of(study).orders["R01"]  # type: ignore[union-attr]
    assert {fact.condition for fact in ledger.trains} == {"A", "B", "C"}
    assert {fact.mg_per_kg for fact in ledger.injections} == {None}


def test_afterwards_every_view_names_it(blind: Blind) -> None:
    blind.open()
    show, animal, responders = views(blind)
    code = blind.code("valproate 200")
    assert f"15.0 min after valproate 200 (code {code})" in show
    assert "codes opened by Ada: all tests are done" in show
    assert "injection of sodium valproate, 197.6 mg/kg (1.189 mmol/kg)" in animal
    assert "injection of vehicle\n" in animal
    shown = said("show", "--study", blind.folder, "R01_0_drug-test:1")
    assert f"condition A, opened: {next(name for name, code in blind.codes.items() if code == 'A')}" in shown
    assert "\nvalproate 200\n  R01  fewer than 2 tests: 1 of 1 protected\n" in responders
    with open_study(blind.folder) as study:
        assert set(course_of(study, "R01").tests) == {"valproate 200", "vehicle", "both"}


def test_each_substance_of_a_mixture_is_told_with_what_it_really_was(blind: Blind) -> None:
    """0.5 ml for 253 g: 30 and 57.6 mg/ml of the salts; the free acid of sodium valproate is 144.214 of 166.196."""
    blind.open()
    with open_study(blind.folder) as study:
        ledger = ledger_of(study.journal, "R01", UTC)
    both = {fact.name: fact for fact in ledger.injections if fact.condition == "both"}
    magnesium, valproate = both["magnesium sulfate heptahydrate"], both["sodium valproate"]
    assert magnesium.mg_per_kg == pytest.approx(0.5 * 30.0 / 0.253)
    assert magnesium.mmol_per_kg == pytest.approx(0.5 * 30.0 / 0.253 / 246.47)
    assert valproate.mg_per_kg == pytest.approx(0.5 * 57.6 / 0.253 * 144.214 / 166.196)


def test_what_was_known_before_the_codes_were_opened_stays_what_was_known_then(blind: Blind) -> None:
    blind.open()
    with open_study(blind.folder) as study:
        before = ledger_of(study.journal, "R01", UTC, until=LATER - timedelta(days=1))
    assert {fact.condition for fact in before.trains} == {"A", "B", "C"}


def test_the_bottles_are_those_of_the_day_they_were_sealed(blind: Blind) -> None:
    """study.toml may be changed since; the key holds what was in the bottles."""
    changed = (blind.folder / CONFIG).read_text(encoding="utf-8").replace("mg_per_ml = 100.0", "mg_per_ml = 50.0")
    (blind.folder / CONFIG).write_text(changed, encoding="utf-8")
    blind.open()
    assert "injection of sodium valproate, 197.6 mg/kg" in said("animal", "show", "--study", blind.folder, "R01")


def test_codes_are_opened_once(blind: Blind) -> None:
    blind.open()
    with pytest.raises(KindleError, match="the codes were opened already"):
        blind.open()
    with open_study(blind.folder) as study:
        assert opened_act(study) is not None


@pytest.mark.parametrize(
    ("was", "becomes", "message"),
    [
        ("mg_per_ml = 100.0", "mg_per_ml = 50.0", r"hold 100 mg/kg of sodium valproate, not the 200 mg/kg.*100 mg/ml"),
        ('substance = "saline", ml_per_kg = 2.0', 'substance = "saline", ml_per_kg = 4.0', "the volume would tell"),
        ('route = "i.p."\npretreatment_min = 15.0\n[[treatments]]\nname = "veh', None, "route and time would tell"),
        ("[blinding]\n", "[nothing]\n", r"has no \[blinding\]"),
    ],
)
def test_a_bottle_that_would_give_another_dose_or_tell_itself_apart_is_not_coded(
    tmp_path: Path, was: str, becomes: str | None, message: str
) -> None:
    text = STUDY.replace(was, becomes if becomes is not None else was.replace("15.0", "30.0"), 1)
    if "[nothing]" in text:
        head, _, tail = text.partition("[nothing]\n")
        text = head + tail.partition("pretreatment_min = 15.0\n")[2]
    create_study(tmp_path / "study", text)
    with open_study(tmp_path / "study") as study:
        names = [treatment.name for treatment in study.config.treatments]
        with pytest.raises(ConfigError, match=message):
            store_design(study, blocks(["R01"], names, 1), BEGUN, key_file=tmp_path / "key.json")
        assert design_of(study) is None
    assert not (tmp_path / "key.json").exists()


def test_an_early_key_without_bottles_opens_all_the_same(blind: Blind) -> None:
    """Its digest is over what it had; study.toml says what was in the bottles."""
    with open_study(blind.folder) as study:
        key = msgspec.json.decode(blind.key.read_bytes(), type=Key)
        early = structs.replace(key, contents={})
        assert "contents" not in msgspec.json.decode(msgspec.json.encode(early))
        alike = study.config.blinding
        assert alike is not None
        assert key.contents["valproate 200"] == bottles_of(study.config.treatments[0], alike)
        assert key.contents["vehicle"] == ()


def test_an_outcome_names_the_treatment_beside_its_code(blind: Blind) -> None:
    blind.open()
    with open_study(blind.folder) as study:
        act = opened_act(study)
        shown = in_the_open(design_of(study), act)  # type: ignore[arg-type]
    code = blind.code("vehicle")
    stopped = outcome_with_codes_opened(DrugTestStopped((f"code {code}",), "the plug came off"), act)
    assert describe_outcome(stopped) == f"no test after vehicle (code {code}): the plug came off"
    unseen = outcome_with_codes_opened(NotObserved((f"code {code}",), "withheld"), act)
    assert describe_outcome(unseen) == f"no test after vehicle (code {code}): withheld"
    assert outcome_with_codes_opened(KindlingDone(()), act) == KindlingDone(())
    assert set(shown.treatments) == {"valproate 200", "vehicle", "both"}
