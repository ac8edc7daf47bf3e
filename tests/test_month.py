"""A month of a technician at the command line: what is due on each day, why, and what is done about it.

Two rats from implantation to the drug tests of a blinded design, on the simulated rig: R01 to its end, R02 until it
loses its electrode.
"""

import re
import tomllib
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

import pytest
import tomli_w
from technician import Technician, morning

from kindle.ledger_view import ledger_of
from kindle.study import open_study
from tests.test_study_days import STUDY

DRIFT = "the current of 69.12 uA is 2 times the last threshold"


class Month:
    """``stage`` is what she sees today."""

    def __init__(self, folder: Path) -> None:
        self.stage = "0"
        self.at_work = Technician(folder, morning(0), self._answer)
        self.study = folder / "study"

    def _answer(self, question: str, choices: list[str]) -> str:
        return "given" if question.startswith("Inject") else self.stage

    def day(self, number: int, hour: int = 10) -> None:
        self.at_work.comes_in(morning(number, hour))

    def types(self, line: str, *, leaves: int = 0) -> str:
        return self.at_work.types(f"kindle {line}", leaves=leaves)

    def due(self, animal: str = "R01") -> str:
        """What is due, without the flags."""
        return self.types(f"due study --animal {animal}").splitlines()[0].removeprefix(f"{animal}  ")

    def flags(self, animal: str = "R01") -> list[str]:
        return [line.strip(" !") for line in self.types(f"due study --animal {animal}").splitlines()[1:]]

    def kindles(self, stage: str, animal: str = "R01") -> str:
        self.stage = stage
        return self.types(f"run kindling --study study --animal {animal}").splitlines()[-1]

    def tests(self, treatment: str, stage: str) -> str:
        self.stage = stage
        return self.types(f"run drug-test --study study --animal R01 --treatment {treatment}").splitlines()[-1]


@pytest.fixture
def month(tmp_path: Path) -> Month:
    made = Month(tmp_path)
    made.types("study init study")
    workdays = STUDY.replace("workdays = []", 'workdays = ["mon", "tue", "wed", "thu", "fri"]')
    (made.study / "study.toml").write_text(workdays, encoding="utf-8")
    rig = tomllib.loads((files("kindle") / "rigs" / "simulated.toml").read_text(encoding="utf-8"))
    rig["bench"]["threshold_ua"] = 30.0
    rig["daq"] |= {"rate_hz": 1000.0, "block_s": 1.0}
    (made.study / "rig.toml").write_text(tomli_w.dumps(rig), encoding="utf-8")
    return made


def test_a_month_from_the_operation_to_the_opened_codes(month: Month) -> None:
    # Monday 2 February: the rats come from surgery.
    for animal in ("R01", "R02"):
        month.types(f"animal add --study study {animal} --strain Wistar --sex m")
        month.types(f"animal event --study study {animal} implanted")
        month.types(f"animal weigh --study study {animal} 250")
    month.types("study design study --kind latin_square --key key.json")
    assert month.due() == "recovering: not before Mon 2026-02-09 00:00: recovery of 7 days after implantation"

    # Monday 9 February: thresholds.
    month.day(7)
    assert month.due() == "naive: DUE threshold: no threshold has been measured"
    for animal in ("R01", "R02"):
        assert "its weight" not in "".join(month.flags(animal))
        month.types(f"animal weigh --study study {animal} 260")
        told = month.types(f"run threshold --study study --animal {animal}")
        assert f"{animal}: threshold in (28.8, 34.56] uA, midpoint 31.55 uA" in told
    assert month.due().startswith("kindling: not before Tue 2026-02-10 10:0")

    # Tuesday to Friday: a train a day. R02 is to be scored from video.
    month.day(8, hour=11)
    assert month.due() == "kindling: DUE kindling: train 1, 0 of 3 seizures of the criterion"
    assert month.kindles("1") == "R01: stage 1 on racine_1972@1, afterdischarge of 24.6 s at 69.12 uA"
    assert month.flags() == [DRIFT]
    assert "not scored" in month.kindles("later", "R02")
    assert month.due() == (
        "kindling: not before Wed 2026-02-11 00:00: kindling then: train 2, 0 of 3 seizures of the criterion"
    )

    month.day(9)
    assert month.kindles("2").startswith("R01: stage 2")
    assert re.fullmatch(
        r"kindling: TO DECIDE: the train of session R02_20260210_\d+_kindling has no stage yet: kindle score",
        month.due("R02"),
    )
    assert "without a stage" in month.types("run kindling --study study --animal R02", leaves=1)
    month.types("score --study study --animal R02 --stage 2 --by Ada")
    assert month.due("R02") == "kindling: DUE kindling: train 2, 0 of 3 seizures of the criterion"

    month.day(10)
    assert month.kindles("4").startswith("R01: stage 4")
    month.types("animal event --study study R02 electrode_lost")
    assert month.due("R02") == "electrode lost: electrode lost on 2026-02-12"
    assert month.flags("R02") == []
    refused = month.types("run kindling --study study --animal R02", leaves=1)
    assert refused.strip().endswith("kindle: R02 is out of the study since 2026-02-12: electrode lost")

    month.day(11)
    assert month.due() == "kindling: DUE kindling: train 4, 1 of 3 seizures of the criterion"
    assert month.kindles("2").startswith("R01: stage 2")
    month.day(12)
    assert month.due() == (
        "kindling: not before Mon 2026-02-16 00:00: no work today; kindling then: train 5, 0 of 3 seizures of the "
        "criterion"
    )

    # Monday 16 February: the video of Friday shows stage 4, and a discharge that ended earlier.
    month.day(14)
    assert month.due() == "kindling: DUE kindling: train 5, 0 of 3 seizures of the criterion"
    with open_study(month.study) as study:
        friday = ledger_of(study.journal, "R01", UTC).trains[-1]
    month.types(f"amend --study study {friday.session}:1 stage 4 --by Ada --reason 'video seen again'")
    amended = month.types(f"amend --study study {friday.seq} end 20.5 --by Ada --reason 'chewing, on video'")
    assert re.search(r"is now afterdischarge [\d.]+ to 20\.500 s from train end", amended)
    assert month.due() == "kindling: DUE kindling: train 5, 2 of 3 seizures of the criterion"
    shown = month.types(f"show --study study {friday.seq}")
    assert "amended from 2.0 to 4.0 by Ada: video seen again" in shown
    assert "from train end 20.500" in shown.splitlines()[-1]
    assert "its last weight is of 2026-02-09" not in month.flags()
    month.types("animal weigh --study study R01 275")
    assert month.kindles("5").startswith("R01: stage 5")

    # Fully kindled: two days later the controls, until they are stable.
    month.day(15)
    assert month.due() == ("testing: not before Wed 2026-02-18 00:00: 2 days after the last kindling train")
    first = order_of(month)[0]
    month.day(16)
    assert month.due() == f"testing: DUE drug-test (control): control before {first}"
    early = month.types(f"run drug-test --study study --animal R01 --treatment {first}", leaves=1)
    assert "--although" in early
    assert month.tests("control", "5").startswith("R01: without an injection: stage 5")
    month.day(17)
    assert month.due() == (f"testing: DUE drug-test (control): control before {first}: the controls are not stable yet")
    month.tests("control", "5")
    month.day(18)
    assert month.due() == f"testing: DUE drug-test ({first}): drug day after the control of 2026-02-19"
    assert re.match(rf"R01: 15\.\d min after code {first}: stage 2", month.tests(first, "2"))
    assert [question for question in month.at_work.asked if question.startswith("Inject")] == [
        f"Inject 0.55 ml for 275 g: code {first}, 2 ml/kg i.p."
    ]

    # A week of washout, and the other one.
    month.day(21)
    assert month.due() == f"washout: not before Fri 2026-02-27 00:00: washout of 7 days after code {first}"
    assert "its last weight is of 2026-02-16" not in month.flags()
    month.day(25)
    second = order_of(month)[1]
    assert month.due() == f"testing: DUE drug-test (control): control before {second}"
    assert "its last weight is of 2026-02-16" in month.flags()
    month.types("animal weigh --study study R01 280")
    month.tests("control", "5")
    month.day(28)
    assert month.due() == f"testing: DUE drug-test ({second}): drug day after the control of 2026-02-27"
    month.tests(second, "5")

    # Tuesday 3 March: all is done, and the codes are opened.
    month.day(29)
    assert month.due() == "ended: all 2 drug tests are done"
    opened = month.types("unblind study --key key.json --by Ada --reason 'all tests are done'")
    assert sorted(line[3:] for line in opened.splitlines()) == ["valproate 200", "vehicle"]
    assert month.types("verify study").splitlines()[-1] == "study: journal and recordings are whole"

    with open_study(month.study) as study:
        ledger = ledger_of(study.journal, "R01", UTC)
        utcs = [row.utc for row in study.journal.rows()]
    n_threshold_trains = sum(train.protocol == "threshold" for train in ledger.trains)
    assert utcs == sorted(utcs)
    assert utcs[-1] < datetime(2026, 3, 4, tzinfo=UTC)
    assert [train.stage for train in ledger.trains if train.protocol == "kindling"] == [1, 2, 4, 4, 5]
    known = {line[:1]: line[3:] for line in opened.splitlines()}
    assert [(train.condition, train.stage) for train in ledger.trains if train.protocol == "drug-test"] == [
        ("control", 5),
        ("control", 5),
        (known[first], 2),
        ("control", 5),
        (known[second], 5),
    ]
    assert len(ledger.trains) == n_threshold_trains + 5 + 5


def order_of(month: Month) -> list[str]:
    from kindle.blinding import design_of

    with open_study(month.study) as study:
        design = design_of(study)
    assert design is not None
    return list(design.orders["R01"])
