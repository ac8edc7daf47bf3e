"""All animals read at once have the ledgers that each has when it is read alone."""

from datetime import UTC, timedelta
from pathlib import Path

from kindle.amended import amended_rows
from kindle.animal_rows import AlarmAcknowledged, Amended, AnimalEvent, TrialScored, Weighed
from kindle.exchange import Dose
from kindle.ledger_view import ledger_of, ledgers_of
from kindle.rows import Animal, kind_of
from kindle.session_view import ANIMALS
from kindle.study import create_study, open_study
from tests.told_study import BEGUN, SCALE, StudyTeller

RATS = ("R1", "R2", "R3")


def test_one_reading_gives_every_animal_the_ledger_that_it_has_alone(tmp_path: Path) -> None:
    create_study(tmp_path / "study", 'name = "several"\n')
    with open_study(tmp_path / "study") as study:
        teller = StudyTeller(study)
        for rat in RATS:
            study.add_animal(Animal(rat), BEGUN)
            teller.kindled(rat, (1, None))
        teller.drug_day("R2", "valproate", (Dose("sodium valproate", "mg_salt", 100.0, "i.p.", 900.0),), 2, 9.0)
        trial = next(row for row in study.journal.rows("R1_0002_kindling") if row.kind == "answered")
        written = study.journal.append
        later = BEGUN + timedelta(days=2)
        for row in (
            Weighed("R1", 250.0),
            Weighed("R3", 301.0),
            TrialScored("R1", trial.seq, SCALE, 4.0, "Ada"),
            AnimalEvent("R3", "died", "anaesthesia"),
            AlarmAcknowledged("R2", "Ada"),
        ):
            last = written(ANIMALS, kind_of(row), row, sample=None, utc=later)
        amended = Amended(last.seq - 4, "weight_g", 250.0, 260.0, "Ada", "misread")
        written(ANIMALS, kind_of(amended), amended, sample=None, utc=later)
        together = ledgers_of(amended_rows(study.journal), UTC)
        assert together == {rat: ledger_of(study.journal, rat, UTC) for rat in RATS}
    late = together["R1"].trains[1]
    assert (late.stage, late.stage_seq) == (4.0, last.seq - 2)
    assert together["R1"].weights[0].weight_g == 260.0
    assert together["R3"].event("died") is not None
    assert [fact.seq for fact in together["R3"].events] == [last.seq - 1]
