"""The conventions of a quantal fit; every one of them changes printed numbers, so every result carries them."""

from dataclasses import dataclass
from typing import Literal, get_args

from kindle.analysis.links import LINK_NAMES, LinkName

Natural = Literal["none", "abbott", "estimate"] | float
Information = Literal["expected", "observed"]
Heterogeneity = Literal["p<0.05", "p<0.10", "p<0.15", "always", "never"]
Penalty = Literal["firth"]
Ci = Literal["auto", "fieller", "profile", "delta", "lw"]

CIS: tuple[Ci, ...] = get_args(Ci)
INFORMATION: tuple[Information, ...] = get_args(Information)
P_BELOW: dict[str, float] = {"p<0.05": 0.05, "p<0.10": 0.10, "p<0.15": 0.15}
HETEROGENEITY: tuple[Heterogeneity, ...] = get_args(Heterogeneity)


@dataclass(frozen=True, slots=True)
class QuantalOptions:
    """Raises ``ValueError`` for a choice that is not there."""

    link: LinkName = "probit"
    natural: Natural = "none"
    information: Information = "expected"
    heterogeneity: Heterogeneity = "p<0.05"
    penalty: Penalty | None = None
    pool: bool = True
    level: float = 0.95
    unit: str = ""

    def __post_init__(self) -> None:
        _one_of("link", self.link, LINK_NAMES)
        _one_of("information", self.information, INFORMATION)
        _one_of("heterogeneity", self.heterogeneity, HETEROGENEITY)
        _one_of("penalty", self.penalty, (None, "firth"))
        if isinstance(self.natural, str):
            _one_of("natural", self.natural, ("none", "abbott", "estimate"))
        elif not 0 <= self.natural < 1:
            raise ValueError(f"natural = {self.natural:g} is no response rate; it must be 0 or more and below 1")
        if self.penalty is not None and self.natural != "none":
            raise ValueError("Firth's penalty is not defined with a natural response; choose one of the two")
        if not 0.5 <= self.level < 1:
            raise ValueError(f"level = {self.level:g}; a confidence level lies from 0.5 to below 1, for instance 0.95")

    def dose(self, value: float) -> str:
        return f"{value:.6g} {self.unit}".rstrip()


def _one_of(name: str, value: object, known: tuple[object, ...]) -> None:
    if value not in known:
        raise ValueError(f"{name} = {value!r}; there are: {', '.join(map(str, known))}")
