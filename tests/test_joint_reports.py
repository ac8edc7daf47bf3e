"""One report over the folders of several rigs: nothing is pooled that is not known to belong together."""

import csv
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from kindle.blinding import store_design
from kindle.commands.records import report as report_command
from kindle.design import blocks
from kindle.errors import ConfigError
from kindle.exchange import CodedDose, Dose
from kindle.report import write_joint_report
from kindle.report.study_sources import report_folder, study_folders
from kindle.rows import Animal
from kindle.study import Study, create_study, open_study
from tests.told_study import BEGUN, StudyTeller

VALPROATE = """\
[[treatments]]
name = "valproate"
[[treatments.injections]]
substance = "sodium valproate"
amount_per_kg = {dose}
basis = "mg_salt"
mg_per_ml = 100.0
route = "i.p."
pretreatment_min = 15.0
[blinding]
ml_per_kg = 2.0
route = "i.p."
pretreatment_min = 15.0
"""

Tell = Callable[[Study, StudyTeller], None]


def rig(folder: Path, tell: Tell, animals: tuple[Animal, ...], *, toml: str = "", hours_later: int = 0) -> Path:
    create_study(folder, f'name = "{folder.name}"\n{toml}')
    with open_study(folder) as study:
        for animal in animals:
            study.add_animal(animal, BEGUN)
        tell(study, StudyTeller(study, hours_later))
    return folder


def kindled(*of: str, stages: tuple[float, ...] = (1, 3, 5)) -> Tell:
    def tell(_: Study, teller: StudyTeller) -> None:
        for animal in of:
            teller.kindled(animal, stages)

    return tell


def rows_of(report: Path, name: str) -> list[dict[str, str]]:
    with (report.parent / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def refused(*folders: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        write_joint_report(folders, folders[0].parent / "report")
    return str(caught.value)


def test_a_folder_of_study_folders_is_reported_as_one_study(tmp_path: Path) -> None:
    for name, rat in (("rig-10", "R3"), ("rig-2", "R2"), ("rig-1", "R1")):
        rig(tmp_path / name, kindled(rat), (Animal(rat),))
    told = CliRunner().invoke(report_command, [str(tmp_path)])
    report = tmp_path / "report" / "index.html"
    assert told.output.strip() == str(report)
    assert [row["animal"] for row in rows_of(report, "animals")] == ["R1", "R2", "R3"]
    assert {row["journal row"].rsplit(" ", 1)[0] for row in rows_of(report, "trains")} == {"rig-1", "rig-2", "rig-10"}
    page = report.read_text(encoding="utf-8")
    assert "3 study folders, 3 animals, 9 sessions" in page
    links, ids = set(re.findall(r'href="#([^"]+)"', page)), re.findall(r'\bid="([^"]+)"', page)
    assert links <= set(ids)
    assert len(ids) == len(set(ids))


def test_an_animal_of_two_rigs_goes_on_where_it_was(tmp_path: Path) -> None:
    """Five seizures of stage 5: two on the second rig, then three on the first, in the order of time."""
    late = rig(tmp_path / "a", kindled("R1", stages=(5, 5, 5)), (Animal("R1"),), hours_later=100)
    early = rig(tmp_path / "b", kindled("R1", stages=(1, 2)), (Animal("R1"),))
    report = write_joint_report((late, early), tmp_path / "report")
    trains = rows_of(report, "trains")
    assert [(row["stimulation"], row["stage"]) for row in trains] == [
        ("1", "1.0"), ("2", "2.0"), ("3", "5.0"), ("4", "5.0"), ("5", "5.0"),
    ]  # fmt: skip
    assert [row["journal row"].split()[0] for row in trains] == ["b", "b", "a", "a", "a"]
    assert "taken as one animal each, sessions in the order of time: R1 in a and b" in report.read_text("utf-8")


def test_an_animal_on_two_rigs_at_once_is_refused(tmp_path: Path) -> None:
    a = rig(tmp_path / "a", kindled("R1"), (Animal("R1"),))
    b = rig(tmp_path / "b", lambda _, teller: teller.drug_day("R1", "control", (), 5, 60.0), (Animal("R1"),))
    told = refused(a, b)
    assert "R1 was on two rigs at the same time (2026-03-09 10:00:00 UTC)" in told
    assert "R1_0001_kindling of a and R1_0001_drug-test of b" in told


def test_a_copy_of_a_folder_is_refused(tmp_path: Path) -> None:
    a = rig(tmp_path / "a", kindled("R1"), (Animal("R1"),))
    b = rig(tmp_path / "b", kindled("R1"), (Animal("R1"),))
    assert "session R1_0001_kindling stands in a and in b: one of the folders is a copy" in refused(a, b)


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        (Animal("R1", strain="Wistar"), Animal("R1", strain="Lewis"), "R1 is rat, Wistar in a and rat, Lewis in b"),
        (Animal("R1"), Animal("r1"), "a has an animal R1 and b an animal r1"),
    ],
)
def test_animals_that_cannot_be_told_apart_are_refused(
    first: Animal, second: Animal, told: str, tmp_path: Path
) -> None:
    a = rig(tmp_path / "a", kindled(first.id), (first,))
    b = rig(tmp_path / "b", kindled(second.id), (second,), hours_later=100)
    assert told in refused(a, b)


@pytest.mark.parametrize(
    ("toml", "told"),
    [
        ('scale = "etsp"\n', "a scores on racine_1972@1 and b scores on etsp@1"),
        ("[kindled]\nn = 5\n", "a takes as fully kindled 3 consecutive seizures of stage 4 or more"),
        (VALPROATE.format(dose=100), "treatment 'valproate' is sodium valproate 200 per kg (mg_salt) i.p."),
    ],
)
def test_folders_that_mean_different_things_are_refused(toml: str, told: str, tmp_path: Path) -> None:
    own = VALPROATE.format(dose=200) if "treatments" in toml else ""
    a = rig(tmp_path / "a", kindled("R1"), (Animal("R1"),), toml=own)
    b = rig(tmp_path / "b", kindled("R2"), (Animal("R2"),), toml=toml)
    assert told in refused(a, b)


def test_equal_codes_of_different_keys_are_not_one_treatment(tmp_path: Path) -> None:
    def blinded(animal: str) -> Tell:
        def tell(study: Study, teller: StudyTeller) -> None:
            design = blocks([animal], ["valproate"], 1)
            store_design(study, design, BEGUN, key_file=tmp_path / f"{animal}.json")
            teller.drug_day(animal, "control", (), 5, 60.0)
            teller.drug_day(animal, "A", (CodedDose("A", 2.0, "i.p.", 900.0),), 1, 20.0)

        return tell

    toml = VALPROATE.format(dose=200)
    folders = [rig(tmp_path / name, blinded(f"R-{name}"), (Animal(f"R-{name}"),), toml=toml) for name in "ab"]
    report = write_joint_report(folders, tmp_path / "report")
    assert [row["condition"] for row in rows_of(report, "drug_days")] == ["code A of a", "code A of b"]


def test_a_dose_is_pooled_over_the_rigs(tmp_path: Path) -> None:
    def tested(animal: str) -> Tell:
        def tell(_: Study, teller: StudyTeller) -> None:
            for n, amount in enumerate((100.0, 150.0, 200.0)):
                dose = Dose("sodium valproate", "mg_salt", amount, "i.p.", 900.0)
                teller.drug_day(
                    animal, f"v{amount:g}", (dose,), 1 if n == 2 or (n == 1 and animal == "R1") else 5, 30.0
                )

        return tell

    folders = [rig(tmp_path / rat, tested(rat), (Animal(rat),)) for rat in ("R1", "R2")]
    report = write_joint_report(folders, tmp_path / "report")
    assert "n = 6 (100-200 mg/kg; 0/2 1/2 2/2)" in report.read_text("utf-8")


def test_what_is_no_study_is_said(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match=r"empty is not a study: it has no study\.toml"):
        study_folders([tmp_path / "empty"])


def test_a_folder_given_twice_is_refused(tmp_path: Path) -> None:
    a = rig(tmp_path / "a", kindled("R1"), (Animal("R1"),))
    with pytest.raises(ConfigError, match="is given twice"):
        study_folders([tmp_path, a])


def test_folders_in_different_places_need_to_be_told_where_the_report_goes(tmp_path: Path) -> None:
    a, b = tmp_path / "here" / "a", tmp_path / "there" / "b"
    with pytest.raises(ConfigError, match="say with --out"):
        report_folder([a, b], [a, b])
    c = tmp_path / "here" / "c"
    assert report_folder([a, c], [a, c]) == tmp_path / "here" / "report"
