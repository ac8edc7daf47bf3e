"""Probit, logit and complementary log-log: from the line to the probability, without overflow in the tails."""

from collections.abc import Callable
from dataclasses import dataclass
from math import log, pi, sqrt
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.special import erfcx, expit, log_expit, log_ndtr, logit, ndtr, ndtri

Values = NDArray[np.float64]
LinkName = Literal["probit", "logit", "cloglog"]
LINK_NAMES: tuple[LinkName, ...] = get_args(LinkName)

_ROOT_2 = sqrt(2)
_HAZARD_AT_0 = sqrt(2 / pi)


@dataclass(frozen=True, slots=True)
class Tails:
    """Of P = F(eta), one value per group.

    ``hit`` = d log P / d eta and ``miss`` = -d log(1 - P) / d eta, with ``d_hit`` <= 0 and ``d_miss`` >= 0 their
    derivatives: both log probabilities are concave, so a likelihood of such terms has one maximum.
    """

    log_p: Values
    log_q: Values
    hit: Values
    miss: Values
    d_hit: Values
    d_miss: Values


@dataclass(frozen=True, slots=True)
class Link:
    name: LinkName
    probability: Callable[[Values], Values]
    quantile: Callable[[float], float]
    tails: Callable[[Values], Tails]


def _probit_tails(eta: Values) -> Tails:
    hit = _HAZARD_AT_0 / erfcx(-eta / _ROOT_2)
    miss = _HAZARD_AT_0 / erfcx(eta / _ROOT_2)
    return Tails(log_ndtr(eta), log_ndtr(-eta), hit, miss, -hit * (hit + eta), miss * (miss - eta))


def _logit_tails(eta: Values) -> Tails:
    p, q = expit(eta), expit(-eta)
    return Tails(log_expit(eta), log_expit(-eta), q, p, -p * q, p * q)


def _cloglog_tails(eta: Values) -> Tails:
    # Past these ends the probabilities are 0 and 1 to the last bit.
    miss = np.exp(np.clip(eta, -700.0, 500.0))
    with np.errstate(over="ignore"):
        hit = miss / np.expm1(miss)
    with np.errstate(divide="ignore"):
        log_p = np.where(eta < -30.0, eta, np.log(-np.expm1(-miss)))
    return Tails(log_p, -miss, hit, miss, hit * (1 - miss - hit), miss)


def _cloglog_probability(eta: Values) -> Values:
    return np.asarray(-np.expm1(-np.exp(np.clip(eta, -700.0, 500.0))), np.float64)


LINKS: dict[LinkName, Link] = {
    "probit": Link("probit", ndtr, lambda p: float(ndtri(p)), _probit_tails),
    "logit": Link("logit", expit, lambda p: float(logit(p)), _logit_tails),
    "cloglog": Link("cloglog", _cloglog_probability, lambda p: log(-log(1 - p)), _cloglog_tails),
}


def link_named(name: str) -> Link:
    """Raises ``ValueError`` for a link that is not there."""
    for known in LINK_NAMES:
        if name == known:
            return LINKS[known]
    raise ValueError(f"no link {name!r}; there are: {', '.join(LINK_NAMES)}")
