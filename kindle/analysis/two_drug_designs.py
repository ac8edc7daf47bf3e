"""Which study of two drugs a table holds, and the analysis that this design can bear."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isclose

import numpy as np

from kindle import __version__
from kindle.analysis.animal_counts import Test
from kindle.analysis.dose_table import read_doses
from kindle.analysis.fit import Fit
from kindle.analysis.fitted_potencies import drug_of, inactive_of, parallel_lines
from kindle.analysis.interaction import Convention
from kindle.analysis.isoboles import Isobole, isobole
from kindle.analysis.links import LinkName
from kindle.analysis.outcome import Note, Result
from kindle.analysis.partner_shift import PartnerShift, partner_shift
from kindle.analysis.potencies import Drug, Inactive, Potency
from kindle.analysis.quantal import fit_table
from kindle.analysis.quantal_options import Heterogeneity, Information, QuantalOptions
from kindle.analysis.resampled_interaction import Lines, ResampledIndex, judged, resampled_isobole, resampled_shift
from kindle.analysis.single_doses import OneDose, one_dose

SAME_RATIO = 0.02
"""Weighed doses of one mixture differ by no more than this, relative to the share."""


@dataclass(frozen=True, slots=True)
class Arm:
    """Animals that got these doses of drug A and drug B; both 0 for the vehicle."""

    dose_a: float
    dose_b: float
    n: int
    responded: int
    animal: str = ""
    """Of a row that is one test of one animal."""


@dataclass(frozen=True, slots=True)
class Study:
    names: tuple[str, str]
    unit: str
    arms: tuple[Arm, ...]
    notes: tuple[Note, ...] = ()
    """What is known of the table besides, as a salt that is left open."""

    @property
    def repeated(self) -> bool:
        """Whether an animal was tested more than once, its vehicle aside."""
        animals = [arm.animal for arm in self.arms if arm.animal and (arm.dose_a > 0 or arm.dose_b > 0)]
        return len(set(animals)) < len(animals)

    def swapped(self) -> "Study":
        arms = tuple(replace(arm, dose_a=arm.dose_b, dose_b=arm.dose_a) for arm in self.arms)
        return Study((self.names[1], self.names[0]), self.unit, arms, self.notes)

    @property
    def vehicle(self) -> tuple[Arm, ...]:
        return tuple(arm for arm in self.arms if arm.dose_a == 0 and arm.dose_b == 0)

    @property
    def a_alone(self) -> tuple[Arm, ...]:
        return tuple(arm for arm in self.arms if arm.dose_a > 0 and arm.dose_b == 0)

    @property
    def b_alone(self) -> tuple[Arm, ...]:
        return tuple(arm for arm in self.arms if arm.dose_a == 0 and arm.dose_b > 0)

    @property
    def both(self) -> tuple[Arm, ...]:
        return tuple(arm for arm in self.arms if arm.dose_a > 0 and arm.dose_b > 0)


@dataclass(frozen=True, slots=True)
class Interaction(Result):
    """``fits`` are those of the drugs alone and together, as far as the design has dose-response lines."""

    design: str
    fits: tuple[tuple[str, Fit], ...]
    result: Isobole | PartnerShift | OneDose
    resampled: ResampledIndex | None = None
    """Limits over whole animals, where animals were tested more than once."""
    notes: tuple[Note, ...] = ()
    version: str = __version__


@dataclass(frozen=True, slots=True)
class Choices:
    """``inactive`` names a drug that is to be taken as inactive alone although some animals were protected."""

    link: LinkName = "probit"
    information: Information = "expected"
    heterogeneity: Heterogeneity = "p<0.05"
    se: Convention = "log-delta"
    level: float = 0.95
    inactive: str | None = None
    n_resamples: int = 2000
    """Of whole animals, where they were tested more than once; 0 for none."""
    seed: int = 0


def analyse(study: Study, choices: Choices | None = None) -> Interaction | Note:
    """A fixed ratio of the drugs, a fixed dose of one of them, or one dose of each; a note for anything else."""
    choices = choices or Choices()
    both = study.both
    if not both:
        return Note("error", "no_mixture", f"no animals got {study.names[0]} and {study.names[1]} together")
    if choices.inactive is not None and choices.inactive not in study.names:
        return Note("error", "bad_input", f"no drug {choices.inactive!r}; there are: {', '.join(study.names)}")
    pairs = {(arm.dose_a, arm.dose_b) for arm in both}
    if len(pairs) == 1:
        return _one_dose(study, choices)
    shares = [arm.dose_a / (arm.dose_a + arm.dose_b) for arm in both]
    if max(shares) - min(shares) <= SAME_RATIO * min(*shares, *(1 - share for share in shares)):
        return _fixed_ratio(study, float(np.mean(shares)), choices)
    if len({arm.dose_b for arm in both}) == 1:
        return _fixed_dose(study, choices)
    if len({arm.dose_a for arm in both}) == 1:
        return _fixed_dose(study.swapped(), choices)
    message = "animals with both drugs have neither a fixed ratio nor a fixed dose of one drug: analyse one such series"
    return Note("error", "no_series", message)


def _fixed_ratio(study: Study, mass_fraction_a: float, choices: Choices) -> Interaction | Note:
    a, b = study.names
    fits = (
        (a, _fit(study, [(arm.dose_a, arm) for arm in study.a_alone], choices)),
        (b, _fit(study, [(arm.dose_b, arm) for arm in study.b_alone], choices)),
        (f"{a} + {b}", _fit(study, [(arm.dose_a + arm.dose_b, arm) for arm in study.both], choices)),
    )
    drugs = [_drug(fit, name, choices) for name, fit in fits]
    for drug in drugs:
        if isinstance(drug, Note):
            return drug
    mixture = drugs[2]
    if isinstance(mixture, Inactive):
        return Note("error", "none_responded", f"{fits[2][0]}: {fits[2][1].status.message}")
    of_a, of_b = drugs[0], drugs[1]
    assert not isinstance(of_a, Note)
    assert not isinstance(of_b, Note)
    assert isinstance(mixture, Potency)
    found = isobole(
        of_a,
        of_b,
        mixture,
        mass_fraction_a=mass_fraction_a,
        se=choices.se,
        parallelism=parallel_lines(fits[0][1], fits[1][1]),
        level=choices.level,
    )
    if not study.repeated or choices.n_resamples == 0 or not found.index:
        return Interaction("fixed ratio", fits, found, None, _notes(study, choices))
    lines = _lines(study, found.a, found.b, [arm.dose_a + arm.dose_b for arm in study.both])
    again = resampled_isobole(found, lines, _options(study, choices), choices.n_resamples, choices.seed)
    return Interaction("fixed ratio", fits, judged(found, again), again, (*_notes(study, choices), *again.notes))


def _fixed_dose(study: Study, choices: Choices) -> Interaction | Note:
    """Of drug B, beside a dose-response of drug A."""
    a, b = study.names
    dose = study.both[0].dose_b
    fits = [
        (a, _fit(study, [(arm.dose_a, arm) for arm in study.a_alone], choices)),
        (f"{a} with {b} {dose:.4g}", _fit(study, [(arm.dose_a, arm) for arm in study.both], choices)),
    ]
    alone, beside = (_drug(fit, name, choices) for name, fit in fits)
    for (name, fit), drug in zip(fits, (alone, beside), strict=True):
        if isinstance(drug, Note):
            return drug
        if isinstance(drug, Inactive):
            return Note("error", "none_responded", f"{name}: {fit.status.message}")
    assert isinstance(alone, Potency)
    assert isinstance(beside, Potency)
    if not study.b_alone:
        return Note("error", "no_partner_alone", f"no animals got {b} alone: whether it acts by itself is not known")
    of_b = _fit(study, [(arm.dose_b, arm) for arm in study.b_alone], choices)
    partner = _drug(of_b, b, choices)
    if isinstance(partner, Note):
        message = f"{partner.message}; if {b} protects no more than its vehicle, say that it is inactive"
        return Note("error", partner.code, message)
    fits.append((b, of_b))
    found = partner_shift(alone, beside, partner, dose, level=choices.level)
    if not study.repeated or choices.n_resamples == 0 or found.ratio is None:
        return Interaction("fixed dose", tuple(fits), found, None, _notes(study, choices))
    lines = _lines(study, alone, partner, [arm.dose_a for arm in study.both])
    again = resampled_shift(found, lines, _options(study, choices), choices.n_resamples, choices.seed)
    return Interaction("fixed dose", tuple(fits), judged(found, again), again, (*_notes(study, choices), *again.notes))


def _one_dose(study: Study, choices: Choices) -> Interaction | Note:
    a, b = study.names
    dose_a, dose_b = study.both[0].dose_a, study.both[0].dose_b
    counted = []
    for name, dose, arms in (
        (a, dose_a, [arm for arm in study.a_alone if isclose(arm.dose_a, dose_a)]),
        (b, dose_b, [arm for arm in study.b_alone if isclose(arm.dose_b, dose_b)]),
    ):
        if not arms:
            return Note("error", "no_dose_alone", f"no animals got {name} {dose:g} alone, as they did together")
        counted.append(_counted(arms))
    if 0 in (counted[0][1], counted[1][1], _counted(study.both)[1]):
        return Note("error", "bad_counts", "a group has no animals: leave its row out")
    names = (_named(a, dose_a, study.unit), _named(b, dose_b, study.unit))
    vehicle = _counted(study.vehicle) if study.vehicle else None
    found = one_dose(counted[0], counted[1], _counted(study.both), vehicle, names=names, level=choices.level)
    return Interaction("one dose of each", (), found, None, _notes(study, replace(choices, n_resamples=0)))


def _counted(arms: Sequence[Arm]) -> tuple[int, int]:
    return sum(arm.responded for arm in arms), sum(arm.n for arm in arms)


def _named(name: str, dose: float, unit: str) -> str:
    return f"{name} {dose:.4g} {unit}".rstrip()


def _fit(study: Study, arms: Sequence[tuple[float, Arm]], choices: Choices) -> Fit:
    control = [(0.0, arm) for arm in study.vehicle]
    rows = [*control, *arms]
    table = read_doses([dose for dose, _ in rows], [arm.n for _, arm in rows], [arm.responded for _, arm in rows])
    return fit_table(table, _options(study, choices))


def _options(study: Study, choices: Choices) -> QuantalOptions:
    return QuantalOptions(
        link=choices.link,
        information=choices.information,
        heterogeneity=choices.heterogeneity,
        level=choices.level,
        unit=study.unit,
    )


def _lines(study: Study, a: Drug | None, b: Drug | None, doses_of_both: Sequence[float]) -> Lines:
    """The tests on the three lines; of an inactive drug there is no line."""
    of_a, of_b, of_both = study.a_alone, study.b_alone, study.both
    return Lines(
        () if isinstance(a, Inactive) else _tests(study, of_a, [arm.dose_a for arm in of_a]),
        () if isinstance(b, Inactive) else _tests(study, of_b, [arm.dose_b for arm in of_b]),
        _tests(study, of_both, doses_of_both),
    )


def _tests(study: Study, arms: Sequence[Arm], doses: Sequence[float]) -> list[Test]:
    given = [(arm.animal, dose, arm.responded) for arm, dose in zip(arms, doses, strict=True)]
    return [*((arm.animal, 0.0, arm.responded) for arm in study.vehicle), *given]


def _notes(study: Study, choices: Choices) -> tuple[Note, ...]:
    if not study.repeated:
        return study.notes
    animals = [arm.animal for arm in study.arms if arm.dose_a > 0 or arm.dose_b > 0]
    told = f"{len(set(animals))} animals in {len(animals)} tests"
    message = f"{told} are taken as independent: limits and p are too narrow"
    if choices.n_resamples:
        message = f"{told}: the limits and p of the lines take them as independent, those over whole animals do not"
    return (*study.notes, Note("warning", "repeated_animals", message))


def _drug(fit: Fit, name: str, choices: Choices) -> Drug | Note:
    if name == choices.inactive and fit.table is not None and fit.table.doses:
        return inactive_of(fit, name)
    return drug_of(fit, name)
