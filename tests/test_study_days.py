"""Days of a technician at the command line: from the first weight to a drug test, on the simulated rig."""

import io
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from kindle.cli import main
from kindle.ledger_view import ledger_of
from kindle.report import write_session_report
from kindle.study import StudyConfig, open_study
from kindle.toml_files import decode_toml
from tests.treatment_text import VALPROATE_200

STUDY = (
    """\
name = "days"
preset = "hannover_ascending"
scale = "racine_1972"
schedule = "guide_at_adt"
criterion = "etsp"
[threshold]
start_ua = 20.0
max_ua = 200.0
interval_s = 30.0
baseline_s = 10.0
watch_s = 15.0
onset_window_s = 10.0
lockout_after_ad_s = 60.0
[threshold.train]
shape = "biphasic"
[kindling]
trains_per_day = 1
baseline_s = 10.0
watch_s = 15.0
current = { kind = "at_threshold", multiple = 2.0 }
[kindling.train]
shape = "biphasic"
phase_us = 1000.0
pulse_hz = 50.0
train_s = 1.0
[course]
tests = ["valproate 200"]
workdays = []
[syringe]
graduation_ml = 0.01
capacity_ml = 1.0
"""
    + VALPROATE_200
    + """\
[[treatments]]
name = "vehicle"
vehicle = { substance = "saline", ml_per_kg = 2.0, route = "i.p.", pretreatment_min = 15.0 }
[blinding]
ml_per_kg = 2.0
route = "i.p."
pretreatment_min = 15.0
[ptz.convulsant]
substance = "pentylenetetrazol"
amount_per_kg = 60.0
basis = "mg_salt"
mg_per_ml = 30.0
route = "s.c."
pretreatment_min = 0.0
"""
)


def typed(*words: object) -> tuple[int, str]:
    """What a command says, and how it leaves."""
    out = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(out):
        patch.setattr(sys, "argv", ["kindle", *map(str, words)])
        patch.setattr(sys, "stdin", io.StringIO())
        try:
            main()
        except SystemExit as left:
            code = left.code
        else:
            code = 0
    assert isinstance(code, int)
    return code, out.getvalue()


def said(*words: object) -> str:
    code, out = typed(*words)
    assert code == 0, out
    return out


def refused(*words: object) -> str:
    code, out = typed(*words)
    assert code == 1, out
    assert out.strip().count("\n") == 0 or "kindle: " in out.strip().splitlines()[-1]
    return out.strip().splitlines()[-1]


@pytest.fixture
def study(tmp_path: Path) -> Path:
    folder = tmp_path / "study"
    said("study", "init", folder)
    (folder / "study.toml").write_text(STUDY, encoding="utf-8")
    said("animal", "add", "--study", folder, "R01")
    return folder


def test_weights_and_events_are_entered_and_shown(study: Path) -> None:
    assert said("animal", "weigh", "--study", study, "R01", "250") == "R01: 250 g\n"
    assert said("animal", "event", "--study", study, "R01", "implanted") == "R01: implanted\n"
    shown = said("animal", "show", "--study", study, "R01")
    assert "weight 250 g" in shown
    assert "implanted" in shown
    assert "no weight of a rat" in refused("animal", "weigh", "--study", study, "R01", "25000")
    assert "needs a reason" in refused("animal", "event", "--study", study, "R01", "excluded")
    assert "recovery of 7 days" in said("due", study)


def test_from_the_threshold_to_a_scored_kindling_train(study: Path) -> None:
    assert "R01  naive: DUE threshold: no threshold has been measured" in said("due", study)
    assert "none is known" in refused("run", "kindling", "--study", study, "--animal", "R01")
    assert "threshold in (" in said("run", "threshold", "--study", study, "--animal", "R01")
    assert "kindling: not before" in said("due", study)
    preview = said("preview", "kindling", "--study", study, "--animal", "R01")
    assert "at most 1 train" in preview
    assert "uC net; the limits allow" in preview
    assert "not scored, afterdischarge of" in said("run", "kindling", "--study", study, "--animal", "R01")

    with open_study(study) as opened:
        page = write_session_report(opened, opened.sessions()[-1].id).read_text(encoding="utf-8")
    assert "R01: kindling session" in page
    assert "TO DECIDE: the train of session" in said("due", study)
    assert "without a stage" in refused("run", "kindling", "--study", study, "--animal", "R01")
    assert "has no stage 9" in refused("score", "--study", study, "--animal", "R01", "--stage", 9, "--by", "Ada")
    scored = said("score", "--study", study, "--animal", "R01", "--stage", 3, "--by", "Ada")
    assert scored.startswith("R01: stage 3 on racine_1972@1 for journal row ")
    assert "stage 3 already" in refused("score", "--study", study, "--animal", "R01", "--stage", 4, "--by", "Ada",
                                        "--row", scored.split()[-1])  # fmt: skip

    trial = said("show", "--study", study, scored.split()[-1])
    assert "uA as quantised" in trial
    assert "durations: from train start" in trial
    assert "stage 3 on racine_1972@1, entered later by Ada" in trial

    with open_study(study) as opened:
        (later,) = [row for row in opened.journal.rows() if row.kind == "trial_scored"]
    assert "a correction needs a reason" in refused(
        "amend", "--study", study, later.seq, "stage", "4", "--by", "Bob", "--reason", " "
    )
    amended = said("amend", "--study", study, later.seq, "stage", "4", "--by", "Bob", "--reason", "video seen again")
    assert amended == f"stage of row {later.seq}: 3.0 is now 4.0\n"
    assert "amended from 3.0 to 4.0 by Bob: video seen again" in said("show", "--study", study, scored.split()[-1])
    assert "can be amended, not 'author'" in refused(
        "amend", "--study", study, later.seq, "author", "Eve", "--by", "Eve", "--reason", "none"
    )
    with open_study(study) as opened:
        trains = ledger_of(opened.journal, "R01").trains
        assert trains[-1].stage == 4.0
        assert all(train.protocol == "threshold" and train.stage is None for train in trains[:-1])
        assert '"stage":3' in next(row.payload for row in opened.journal.rows() if row.seq == later.seq)
    assert "journal and recordings are whole" in said("verify", study)


def test_a_drug_test_without_a_person_gives_neither_drug_nor_train(study: Path) -> None:
    said("run", "threshold", "--study", study, "--animal", "R01")
    assert "has no weight" in refused(
        "run", "drug-test", "--study", study, "--animal", "R01", "--treatment", "valproate 200"
    )
    said("animal", "weigh", "--study", study, "R01", "250")
    early = refused("run", "drug-test", "--study", study, "--animal", "R01", "--treatment", "valproate 200")
    assert "R01 is kindling, with nothing due before" in early
    assert early.endswith("to test all the same, say why with --although")
    treated = ("--study", study, "--animal", "R01", "--treatment", "valproate 200", "--although", "a pilot")
    told = said("preview", "drug-test", *treated)
    assert "departs from the course: R01 is kindling" in told
    assert "although: a pilot" in told
    assert "inject 0.5 ml sodium valproate i.p., really 200 mg/kg (1.203 mmol/kg active); test after 15 min" in told
    done = said("run", "drug-test", *treated)
    assert "no test: sodium valproate was not injected" in done
    assert "no treatment 'phenytoin'" in refused(
        "run", "drug-test", "--study", study, "--animal", "R01", "--treatment", "phenytoin"
    )


def test_a_control_day_needs_no_injection(study: Path) -> None:
    said("run", "threshold", "--study", study, "--animal", "R01")
    assert "without an injection: not scored, afterdischarge" in said(
        "run", "drug-test", "--study", study, "--animal", "R01"
    )
    with open_study(study) as opened:
        assert ledger_of(opened.journal, "R01").trains[-1].condition == "control"


def test_a_convulsant_is_not_given_by_nobody(study: Path) -> None:
    said("animal", "weigh", "--study", study, "R01", "250")
    told = said("preview", "ptz", "--study", study, "--animal", "R01")
    assert "no train; observed for 30 min" in told
    assert "pentylenetetrazol was not injected" in said("run", "ptz", "--study", study, "--animal", "R01")


def test_an_animal_that_is_out_of_the_study_is_not_stimulated(study: Path) -> None:
    said("animal", "event", "--study", study, "R01", "died")
    assert "R01 is out of the study" in refused("run", "kindling", "--study", study, "--animal", "R01")
    assert "R01  died: died on" in said("due", study)


def test_another_animal_on_the_rig_is_not_stimulated(study: Path) -> None:
    said("run", "threshold", "--study", study, "--animal", "R01")
    assert "reads 'R02'; R01 is to be tested" in refused(
        "run", "kindling", "--study", study, "--animal", "R01", "--mark", "R02"
    )
    assert "not scored" in said("run", "kindling", "--study", study, "--animal", "R01", "--mark", "r01")


def test_an_animal_that_lost_weight_is_not_stimulated(study: Path) -> None:
    said("run", "threshold", "--study", study, "--animal", "R01")
    said("animal", "weigh", "--study", study, "R01", "300")
    said("animal", "weigh", "--study", study, "R01", "240")
    for protocol in ("kindling", "threshold"):
        assert "has lost 20% of its highest weight" in refused("run", protocol, "--study", study, "--animal", "R01")


def test_a_blinded_design_shows_codes_until_somebody_opens_them(study: Path, tmp_path: Path) -> None:
    said("animal", "add", "--study", study, "R02")
    said("animal", "weigh", "--study", study, "R01", "250")
    key = tmp_path / "key.json"
    assert "lies in the study" in refused("study", "design", study, "--key", study / "key.json")
    code, told = typed("study", "design", study, "--seed", 1, "--key", key)
    assert (code, "who knows the seed knows the design" in told) == (2, True)
    drawn = said("study", "design", study, "--kind", "latin_square", "--key", key)
    orders = dict(line.split("  ") for line in drawn.splitlines())
    assert {tuple(order.split(", ")) for order in orders.values()} == {("A", "B"), ("B", "A")}
    assert "has a design already" in refused("study", "design", study, "--seed", 2)
    with open_study(study) as opened:
        rows = [row.payload for row in opened.journal.rows() if row.kind in ("designed", "codes_sealed")]
    assert len(rows) == 2
    assert not any("valproate" in payload or "vehicle" in payload for payload in rows)

    said("run", "threshold", "--study", study, "--animal", "R01")
    coded = ("--study", study, "--animal", "R01", "--treatment", "B", "--although", "a pilot")
    told = said("preview", "drug-test", *coded)
    assert "inject 0.5 ml code B i.p.; test after 15 min" in told

    wrong = tmp_path / "wrong.json"
    text = key.read_text(encoding="utf-8").replace('"A"', '"X"').replace('"B"', '"A"').replace('"X"', '"B"')
    wrong.write_text(text, encoding="utf-8")
    assert "not the key that was sealed" in refused(
        "unblind", study, "--key", wrong, "--by", "Ada", "--reason", "all tests are done"
    )
    shown = said("unblind", study, "--key", key, "--by", "Ada", "--reason", "all tests are done")
    assert sorted(line[3:] for line in shown.splitlines()) == ["valproate 200", "vehicle"]
    with open_study(study) as opened:
        (act,) = [row for row in opened.journal.rows() if row.kind == "codes_opened"]
    assert '"author":"Ada"' in act.payload
    assert '"reason":"all tests are done"' in act.payload


def test_the_published_schedules_are_listed_with_what_they_leave_open() -> None:
    listed = said("study", "schedules")
    assert 'schedule = "hannover_daily": Hannover, fixed 500 uA once a day' in listed
    assert 'criterion = "etsp": Three of stage 4 or more on consecutive days' in listed
    assert "to fill in: n\n" in listed


def test_the_examples_in_a_new_study_are_settings_that_the_program_reads(tmp_path: Path) -> None:
    """The indented example, without its marks of a comment and below its own lines, is a study of its own."""
    folder = tmp_path / "new"
    said("study", "init", folder)
    text = (folder / "study.toml").read_text(encoding="utf-8")
    example = "\n".join(line[6:] for line in text.splitlines() if line.startswith("#     "))
    config = decode_toml(written(tmp_path / "example.toml", f'name = "x"\n{example}'), StudyConfig)
    assert config.treatments[0].injections[0].substance == "sodium valproate"
    assert config.animals.max_weight_loss == 0.15


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path
