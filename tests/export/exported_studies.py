"""Studies to export: those of the fixtures, one with a gap and odd names, and one that is blinded."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from kindle.animal_rows import Weighed
from kindle.exchange import CodedDose, Dose, Drawn, Inject, Injected, Scored, ScoreSeizure
from kindle.export.contents import Chosen, contents_of
from kindle.export.destination import Meter
from kindle.protocols.threshold import ThresholdFound
from kindle.rows import Animal, Answered, Asked
from kindle.session_view import ANIMALS
from kindle.study import Study, open_study
from tests.reported_sessions import BEGUN, Teller, Told, study_with

FIXTURES = Path(__file__).parents[2] / "fixtures"
GAPPED = Animal("R01", strain="Göttingen – Wistar", sex="f", note="=1+1", born="2025-12-04")
END_OF_FIRST_S, LOST_S = 43, 7
_IN_MARKERS = ("20260304093043", "%Y%m%d%H%M%S")
SCALE = "racine_1972@1"


def fixture_study(folder: Path, name: str) -> Path:
    return Path(shutil.copytree(FIXTURES / name, folder))


def gapped_study(folder: Path) -> Path:
    """A threshold of two trains with a gap between them, a weight, an injection and a score."""
    with study_with(folder, GAPPED) as study:
        study.journal.append(ANIMALS, "weighed", Weighed("R01", 312.0), sample=None, utc=BEGUN - timedelta(hours=1))
        teller = Teller(study, "R01")
        name = teller.recording([Told(200.0), Told(300.0, "two discharges")], gap_after=1)
        dose = Dose("valproate", "mg_salt", 200.0, "ip", 900.0)
        drawn = Drawn(312.0, 0.624, 0.62, 198.7, 1.196)
        for row in (
            Asked(ScoreSeizure(SCALE)),
            Answered(Scored(SCALE, 3.0)),
            Asked(Inject(dose, drawn)),
            Answered(Injected(dose, 45_000, drawn, name, 1000.0)),
        ):
            teller.write(row)
        teller.ended(ThresholdFound(200.0, 300.0))
    # The teller loses nothing in a gap; here seconds are lost.
    for ending, written, format in ((".vhdr", "2026-03-04T09:30:43", "%Y-%m-%dT%H:%M:%S"), (".vmrk", *_IN_MARKERS)):
        second = (folder / name / "signal-2").with_suffix(ending)
        content = second.read_bytes()
        assert written.encode() in content
        later = BEGUN + timedelta(seconds=END_OF_FIRST_S + LOST_S)
        second.write_bytes(content.replace(written.encode(), later.strftime(format).encode()))
    return folder


def blinded_study(folder: Path) -> Path:
    """One injection from a coded bottle; what is in it stands in study.toml among the treatments."""
    with study_with(folder, Animal("R02")) as study:
        teller = Teller(study, "R02")
        name = teller.recording([Told(200.0, "discharge")])
        dose = CodedDose("B", 2.0, "ip", 900.0)
        for row in (Asked(Inject(dose)), Answered(Injected(dose, 1_000, None, name, 1000.0))):
            teller.write(row)
        teller.ended(ThresholdFound(0.0, 200.0))
    text = (folder / "study.toml").read_text(encoding="utf-8")
    treatment = '[[treatments]]\nname = "high dose"\n[[treatments.injections]]\nsubstance = "valproate"\n'
    treatment += 'amount_per_kg = 200\nbasis = "mg_salt"\nmg_per_ml = 100\nroute = "ip"\npretreatment_min = 15\n'
    (folder / "study.toml").write_text(text + treatment, encoding="utf-8")
    return folder


@contextmanager
def opened(folder: Path) -> Iterator[tuple[Study, Chosen, Meter]]:
    with open_study(folder) as study:
        chosen = contents_of(study)
        yield study, chosen, Meter(chosen.n_samples, lambda share: None)
