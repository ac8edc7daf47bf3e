"""The interaction index of a mixture, and its test against additivity by the conventions in use."""

from dataclasses import dataclass
from enum import StrEnum
from math import exp, log, sqrt
from typing import Literal

from scipy import stats

from kindle.analysis.outcome import Interval
from kindle.analysis.potencies import Potency

Convention = Literal["log-delta", "tallarida", "lublin"]


class Verdict(StrEnum):
    """What may be said. An interval that excludes 1 is needed for either word of interaction."""

    SYNERGY = "synergy"
    ANTAGONISM = "antagonism"
    POTENTIATION = "potentiation at the tested dose"
    NONE = "no interaction shown"


@dataclass(frozen=True, slots=True)
class Index:
    """Dose of the mixture / additive dose: below 1 synergy, above 1 antagonism. Two-sided ``p`` that it is 1."""

    value: float
    interval: Interval
    se_log10: float
    z: float
    p: float

    @property
    def excludes_1(self) -> bool:
        return self.interval.excludes(1.0)


@dataclass(frozen=True, slots=True)
class AdditiveTest:
    """Of the additive dose against the mixture's; ``statistic`` is z without and Welch's t with ``df``.

    Positive where the mixture needs less than the additive dose.
    """

    convention: Convention
    sem_add: float
    statistic: float
    df: float | None
    p: float


def index_of(mixture: Potency, additive: float, se_log10_additive: float, level: float) -> Index:
    """By the delta method on the log scale, the mixture being estimated in other animals than the drugs alone."""
    assert mixture.se_log10 is not None
    log_index = log(mixture.ed50 / additive)
    se = log(10) * sqrt(mixture.se_log10**2 + se_log10_additive**2)
    return _index(log_index, se, level)


def index_at_fixed_dose(a: Potency, a_with_b: Potency, b: Potency | None, dose_b: float, level: float) -> Index:
    """a'/A + b/B, where a' of A was needed beside the fixed dose b; without an ED50 of B the ratio a'/A alone."""
    assert a.se_log10 is not None
    assert a_with_b.se_log10 is not None
    share_a = a_with_b.ed50 / a.ed50
    share_b = 0.0 if b is None else dose_b / b.ed50
    se_b = 0.0 if b is None or b.se_log10 is None else b.se_log10
    variance = share_a**2 * (a.se_log10**2 + a_with_b.se_log10**2) + (share_b * se_b) ** 2
    return _index(log(share_a + share_b), log(10) * sqrt(variance) / (share_a + share_b), level)


def _index(log_index: float, se: float, level: float) -> Index:
    half = float(stats.norm.ppf(0.5 + level / 2)) * se
    z = log_index / se
    interval = Interval(exp(log_index - half), exp(log_index + half))
    return Index(exp(log_index), interval, se / log(10), z, 2 * float(stats.norm.sf(abs(z))))


def tests_of(
    mixture: Potency,
    additive: float,
    se_log10_additive: float,
    sems: dict[Convention, float],
    n_additive: int | None,
    level: float,
) -> tuple[AdditiveTest, ...]:
    """Every convention that the numbers allow: Welch's t needs the numbers of animals."""
    index = index_of(mixture, additive, se_log10_additive, level)
    tests = [AdditiveTest("log-delta", log(10) * additive * se_log10_additive, -index.z, None, index.p)]
    sem_mixture = mixture.sem
    assert sem_mixture is not None
    if n_additive is not None and mixture.n is not None and n_additive > 1 and mixture.n > 1:
        for convention, sem in sems.items():
            of_additive, of_mixture = sem**2, sem_mixture**2
            error = sqrt(of_additive + of_mixture)
            df = error**4 / (of_additive**2 / (n_additive - 1) + of_mixture**2 / (mixture.n - 1))
            t = (additive - mixture.ed50) / error
            tests.append(AdditiveTest(convention, sem, t, df, 2 * float(stats.t.sf(abs(t), df))))
    return tuple(tests)
