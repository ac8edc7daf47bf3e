"""Who answers to a treatment each time: by the stage on its scale, by the hindlimbs after a shock."""

from dataclasses import replace
from datetime import timedelta

import pytest
from ledgers import MONDAY, RACINE, train

from detectors.criterion import Verdict
from kindle.ledger import CONTROL, Ledger, ObservationFact, TrainFact
from kindle.protocols.ptz import ElectroshockObserved, NotSeen, Seen
from kindle.responding import Protection, answers_of

RULE = Protection({RACINE: 4.0, "guide_2025@1": 4.0})


def drug_day(day: int, stage: float | None, condition: str = "valproate 200", **other: object) -> TrainFact:
    one = train(day, stage, protocol="drug-test", condition=condition)
    return replace(one, **other)  # type: ignore[arg-type]


def kind(*trains: TrainFact, least_tests: int = 3) -> str:
    answers = answers_of(Ledger("R01", trains=trains), RULE)["valproate 200"]
    found = answers.kind(least_tests)
    return "too few" if found is None else found.kind


@pytest.mark.parametrize(
    ("stages", "expected"),
    [
        ((0.0, 3.0, 2.0), "responder"),
        ((5.0, 4.0, 5.0), "non-responder"),
        ((0.0, 5.0, 2.0), "variable"),
        ((0.0, 3.0), "too few"),
    ],
)
def test_three_tests_tell_responders_apart(stages: tuple[float, ...], expected: str) -> None:
    """Consistent responder, non-responder or variable over repeated tests: Löscher 2000."""
    assert kind(*(drug_day(8 * n, stage) for n, stage in enumerate(stages))) == expected


def test_controls_and_kindling_are_no_tests_of_a_treatment() -> None:
    ledger = Ledger("R01", trains=(train(0), drug_day(1, 5.0, CONTROL), drug_day(2, 0.0)))
    assert set(answers_of(ledger, RULE)) == {"valproate 200"}


def test_what_is_not_known_counts_for_nothing() -> None:
    unknown = (
        drug_day(0, None),
        drug_day(8, 0.0, verdict=Verdict.UNDETERMINED),
        drug_day(16, 0.0, verdict=None),
        drug_day(24, 0.0, scale="etsp@1"),
    )
    answers = answers_of(Ledger("R01", trains=unknown), RULE)["valproate 200"]
    assert (answers.protected, answers.unknown) == ([], 4)


def shocked(day: int, *, extended: bool) -> ObservationFact:
    utc = MONDAY + timedelta(days=day)
    extension = Seen(3.0) if extended else NotSeen(60.0)
    seen = ElectroshockObserved((), extension, False, 60.0)
    return ObservationFact(utc, utc.date(), "s", 0, "electroshock", None, "A", "racine_1972@1", 5.0, seen)


def test_after_a_shock_the_hindlimbs_decide_and_not_the_stage() -> None:
    ledger = Ledger("R01", observations=tuple(shocked(8 * n, extended=False) for n in range(3)))
    found = answers_of(ledger, RULE)["A"].kind(3)
    assert found is not None
    assert found.kind == "responder"


def test_a_dose_of_a_convulsant_is_judged_by_its_own_scale() -> None:
    utc = MONDAY
    dose = ObservationFact(utc, utc.date(), "s", 0, "ptz", 60.0, "B", "guide_2025@1", 5.0)
    broken_off = replace(shocked(8, extended=True), seen=None)
    found = answers_of(Ledger("R01", observations=(dose, broken_off)), RULE)
    assert found["B"].protected == [False]
    assert (found["A"].protected, found["A"].unknown) == ([], 1)
