"""What the drugs did: each treatment against the last control of the same rats, doses against protection, and pairs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kindle.analysis import isobole, paired
from kindle.analysis.fit import Fit
from kindle.analysis.fitted_potencies import drug_of, parallel_lines
from kindle.analysis.isoboles import Isobole
from kindle.analysis.outcome import Note
from kindle.analysis.paired_results import PairedDurations, PairedIncidence, PairedStages
from kindle.analysis.quantal_options import QuantalOptions
from kindle.analysis.repeated import fit_animals
from kindle.analysis.wording import words_of
from kindle.ledger import TrainFact
from kindle.report.study_facts import DrugDay, StudyFacts
from kindle.report.study_tables import Cell, Table

Pairs = tuple[tuple[DrugDay, DrugDay], ...]
SAME_RATIO = 1e-3
"""How far mixtures may differ in the share of the first drug and still be one mixture."""


@dataclass(frozen=True, slots=True)
class Treated:
    """A treatment, vehicle or code against the last control before it, in each rat once."""

    condition: str
    kind: str
    pairs: Pairs
    unpaired: int
    durations: PairedDurations
    stages: PairedStages
    incidence: PairedIncidence

    def table_rows(self) -> tuple[tuple[str, ...], ...]:
        results = (("discharge s", self.durations), ("stage", self.stages), ("generalised", self.incidence))
        return tuple((self.condition, self.kind, measure, words_of(result)) for measure, result in results)


def treated(facts: StudyFacts, condition: str, generalised_from: float, scale: str) -> Treated:
    first = {day.animal: day for day in reversed(facts.days(condition))}
    matched = [(facts.control_of(day), day) for day in first.values()]
    pairs = tuple((control, day) for control, day in matched if control is not None)

    def stage(train: TrainFact) -> float | None:
        return train.stage if train.scale == scale else None

    def generalised(train: TrainFact) -> float | None:
        known = stage(train)
        return None if known is None else float(known >= generalised_from)

    return Treated(
        condition,
        _kind(next(iter(first.values()))),
        pairs,
        len(matched) - len(pairs),
        paired(*_known(pairs, lambda train: train.discharge_s), "duration"),
        paired(*_known(pairs, stage), "ordinal"),
        paired(*_known(pairs, generalised), "incidence"),
    )


def _kind(day: DrugDay) -> str:
    if day.known:
        return " with ".join(f"{dose.substance} {dose.mg_per_kg:g} mg/kg ({dose.basis})" for dose in day.known)
    return "vehicle or code: nothing that is known to act"


def _known(pairs: Pairs, value: Callable[[TrainFact], float | None]) -> tuple[list[float], list[float]]:
    """The rats of which both days are known."""
    both = [(value(control.train), value(day.train)) for control, day in pairs]
    complete = [(before, after) for before, after in both if before is not None and after is not None]
    return [before for before, _ in complete], [after for _, after in complete]


def drug_table(facts: StudyFacts) -> Table:
    """Rat by rat: the last control, and the day of the treatment."""
    rows: list[tuple[Cell, ...]] = []
    for condition in facts.conditions:
        for day in facts.days(condition):
            control = facts.control_of(day)
            before = None if control is None else control.train
            rows.append(
                (
                    day.animal,
                    condition,
                    None if before is None else before.stage,
                    day.train.stage,
                    None if before is None else before.discharge_s,
                    day.train.discharge_s,
                    None if before is None else before.seq,
                    day.train.seq,
                )
            )
    headers = ("animal", "condition", "control stage", "stage", "control discharge s", "discharge s")
    return Table("drug_days", (*headers, "control journal row", "journal row"), tuple(rows))


@dataclass(frozen=True, slots=True)
class DoseTest:
    """``dose_mg_per_kg`` in all of one substance, or of a mixture."""

    animal: str
    doses: tuple[float, ...]
    protected: bool
    seq: int


Given = tuple[tuple[str, str], ...]
"""Substances that were injected together, each with the basis of its dose."""
Tests = dict[Given, list[DoseTest]]


def dose_tests(facts: StudyFacts, generalised_from: float, scale: str) -> Tests:
    """By what was injected, substance and basis; protected is a stage below a generalised seizure."""
    found: Tests = {}
    for day in facts.drug_days:
        train = day.train
        if not day.known or len(day.known) != len(day.doses) or train.stage is None or train.scale != scale:
            continue
        doses = sorted(day.known, key=lambda dose: dose.substance)
        given = tuple((dose.substance, dose.basis) for dose in doses)
        one = DoseTest(day.animal, tuple(dose.mg_per_kg for dose in doses), train.stage < generalised_from, train.seq)
        found.setdefault(given, []).append(one)
    return found


def fit_of(tests: Sequence[DoseTest]) -> Fit:
    """Of the total dose; a rat that was tested more than once is warned of."""
    return fit_animals(
        [one.animal for one in tests],
        [sum(one.doses) for one in tests],
        [one.protected for one in tests],
        QuantalOptions(unit="mg/kg"),
    )


def mixture_of(tests: Tests, given: Given) -> Isobole | str:
    """The isobole of two drugs in one fixed ratio, or why there is none."""
    names = " and ".join(name for name, _ in given)
    if len(given) != 2:
        return f"{names}: an isobole is of two drugs"
    alone = [tests.get((one,)) for one in given]
    if alone[0] is None or alone[1] is None:
        return f"{names}: one of them was not tested alone, so that there is no isobole"
    shares = [one.doses[0] / sum(one.doses) for one in tests[given]]
    if max(shares) - min(shares) > SAME_RATIO:
        return f"{names}: not in one fixed ratio; analyse the table with kindle isobole"
    a, b = (fit_of(of_one) for of_one in (alone[0], alone[1]))
    (name_a, _), (name_b, _) = given
    drug_a, drug_b = drug_of(a, name_a), drug_of(b, name_b)
    if isinstance(drug_a, Note) or isinstance(drug_b, Note):
        return f"{names}: {drug_a if isinstance(drug_a, Note) else drug_b}"
    return isobole(drug_a, drug_b, fit_of(tests[given]), mass_fraction_a=shares[0], parallelism=parallel_lines(a, b))


def shared_rats(tests: Tests, given: Given) -> int:
    """How many rats stand in more than one of the three lines of an isobole."""
    lines = [{one.animal for one in tests.get(key, ())} for key in (given, given[:1], given[1:])]
    return sum(sum(rat in line for line in lines) > 1 for rat in set().union(*lines))


def dose_table(tests: Tests) -> Table:
    rows = [
        (
            " with ".join(f"{name} ({basis})" for name, basis in given),
            " with ".join(f"{dose:g}" for dose in one.doses),
            one.animal,
            int(one.protected),
            one.seq,
        )
        for given, of_one in tests.items()
        for one in of_one
    ]
    return Table("doses", ("drug", "mg/kg", "animal", "protected", "journal row"), tuple(rows))
