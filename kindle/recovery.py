"""What a study of simulated rats found, held against what was planted in them."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kindle.protocols.threshold import ThresholdFound, ThresholdOutcome, describe

if TYPE_CHECKING:
    from kindle.analysis.fit import Estimate


@dataclass(frozen=True, slots=True)
class ThresholdCheck:
    """``planted_ua`` is what held, without its noise, when the test of this animal ended."""

    animal: str
    planted_ua: float
    outcome: ThresholdOutcome
    step_ratio: float

    @property
    def recovered(self) -> bool:
        """Within one step of the ladder around the interval that was found."""
        if not isinstance(self.outcome, ThresholdFound):
            return False
        lowest, highest = self.outcome.above_ua / self.step_ratio, self.outcome.rung_ua * self.step_ratio
        return lowest <= self.planted_ua <= highest

    def __str__(self) -> str:
        return f"{self.animal}: planted {self.planted_ua:.1f} uA, {describe(self.outcome)}"


@dataclass(frozen=True, slots=True)
class DoseTested:
    """One animal after one dose; protected is a seizure that did not generalise."""

    animal: str
    mg_per_kg: float
    protected: bool


@dataclass(frozen=True, slots=True)
class Findings:
    """Of one rig, or of several added up."""

    thresholds: tuple[ThresholdCheck, ...] = ()
    trains_to_criterion: tuple[int, ...] = ()
    controls: tuple[bool, ...] = ()
    """Whether a control seizure did not generalise."""
    tested: tuple[DoseTested, ...] = ()
    lost: tuple[str, ...] = ()
    """Animals that left the study, and why."""

    def __add__(self, other: "Findings") -> "Findings":
        return Findings(
            self.thresholds + other.thresholds,
            self.trains_to_criterion + other.trains_to_criterion,
            self.controls + other.controls,
            self.tested + other.tested,
            self.lost + other.lost,
        )

    def ed50(self) -> "Estimate":
        """Probit on log dose; what the controls show without a drug is taken off by Abbott's correction."""
        from kindle.analysis import fit_quantal

        n = Counter(test.mg_per_kg for test in self.tested)
        protected = Counter(test.mg_per_kg for test in self.tested if test.protected)
        doses = sorted(n)
        return fit_quantal(
            doses,
            [n[dose] for dose in doses],
            [protected[dose] for dose in doses],
            control=(len(self.controls), sum(self.controls)) if self.controls else None,
            natural="abbott" if any(self.controls) else "none",
            unit="mg/kg",
        ).ed()


def told(findings: Findings, planted_ed50: float) -> Iterator[str]:
    """The findings in lines for people, each against what was planted."""
    missed = [check for check in findings.thresholds if not check.recovered]
    n = len(findings.thresholds)
    yield f"thresholds: {n - len(missed)} of {n} recovered within one step of the ladder"
    yield from (f"  not recovered: {check}" for check in missed)
    reached = sorted(findings.trains_to_criterion)
    if reached:
        yield f"fully kindled: {len(reached)} rats, after a median of {reached[len(reached) // 2]} trains"
    yield from (f"  lost: {reason}" for reason in findings.lost)
    n_control = len(findings.controls)
    yield f"without a drug: {sum(findings.controls)} of {n_control} seizures did not generalise"
    for dose in sorted({test.mg_per_kg for test in findings.tested}):
        of_dose = [test.protected for test in findings.tested if test.mg_per_kg == dose]
        yield f"{dose:g} mg/kg: {sum(of_dose)} of {len(of_dose)} rats protected"
    yield _ed50_told(findings.ed50(), planted_ed50)


def _ed50_told(found: "Estimate", planted: float) -> str:
    if found.value is None or found.low is None or found.high is None:
        reason = str(found.status) or "its interval is not bounded"
        return f"ED50: planted {planted:.1f} mg/kg, not recovered: {reason}"
    verdict = "recovered" if found.low <= planted <= found.high else "NOT recovered"
    return (
        f"ED50: {found.value:.1f} mg/kg, {found.level:.0%} interval {found.low:.1f} to {found.high:.1f}; "
        f"planted {planted:.1f}: {verdict}"
    )
