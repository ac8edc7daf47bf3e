"""The dose-response of one drug with and without a fixed dose of another: how far the curve moves."""

from dataclasses import dataclass
from math import isfinite

from kindle import __version__
from kindle.analysis.interaction import Index, Verdict, index_at_fixed_dose
from kindle.analysis.outcome import Note, Result, headline
from kindle.analysis.potencies import Inactive, Potency, fault_of, named


@dataclass(frozen=True, slots=True)
class PartnerShift(Result):
    """``ratio`` is ED50 with / without the partner; ``index`` adds what the partner's dose is worth of its own ED50."""

    status: Note
    alone: Potency
    with_partner: Potency
    partner: Potency | Inactive
    partner_dose: float
    ratio: Index | None
    index: Index | None
    """``None`` for a partner that is inactive alone: its dose is worth nothing, the ratio says all."""
    verdict: Verdict | None
    words: str
    level: float
    notes: tuple[Note, ...]
    version: str = __version__


def partner_shift(
    alone: Potency,
    with_partner: Potency,
    partner: Potency | Inactive,
    partner_dose: float,
    *,
    level: float = 0.95,
) -> PartnerShift:
    """``with_partner`` is the ED50 of the first drug alone, not of the total, beside ``partner_dose`` of the other.

    With an active partner the index at that dose decides; with an inactive one the shift is called potentiation.
    """
    fault = _fault(alone, with_partner, partner, partner_dose)
    if fault is not None:
        return PartnerShift(fault, alone, with_partner, partner, partner_dose, None, None, None, "", level, (fault,))
    ratio = index_at_fixed_dose(alone, with_partner, None, 0.0, level)
    drug, other = named(alone, "the drug"), named(partner, "its partner")
    dose = f"{partner_dose:.4g} {partner.unit}".rstrip()
    shown = f"ED50 of {drug} with {other} {dose} / alone = {_shown(ratio, level)}"
    if isinstance(partner, Inactive):
        notes: tuple[Note, ...] = ()
        if partner_dose > partner.highest_dose:
            message = f"{other} was tested alone up to {partner.highest_dose:g} only: {dose} may act by itself"
            notes = (Note("warning", "partner_not_tested", message),)
        verdict = Verdict.POTENTIATION if ratio.excludes_1 and ratio.value < 1 else Verdict.NONE
        if ratio.excludes_1 and ratio.value > 1:
            verdict = Verdict.ANTAGONISM
        return PartnerShift(
            headline(notes),
            alone,
            with_partner,
            partner,
            partner_dose,
            ratio,
            None,
            verdict,
            f"{verdict}: {shown}",
            level,
            notes,
        )
    index = index_at_fixed_dose(alone, with_partner, partner, partner_dose, level)
    verdict = Verdict.NONE
    if index.excludes_1:
        verdict = Verdict.SYNERGY if index.value < 1 else Verdict.ANTAGONISM
    words = f"{verdict} at this dose: interaction index {_shown(index, level)}; {shown}"
    notes = (Note("warning", "one_partner_dose", f"one dose of {other}: the index holds beside {dose} only"),)
    return PartnerShift(
        headline(notes), alone, with_partner, partner, partner_dose, ratio, index, verdict, words, level, notes
    )


def _fault(alone: Potency, with_partner: Potency, partner: Potency | Inactive, partner_dose: float) -> Note | None:
    if not (isfinite(partner_dose) and partner_dose > 0):
        return Note("error", "bad_input", f"the partner's dose must be above 0, got {partner_dose:g}")
    if alone.unit and with_partner.unit and alone.unit != with_partner.unit:
        message = f"doses in {alone.unit} and {with_partner.unit}: express both in one unit first"
        return Note("error", "units_differ", message)
    given = [(alone, "the drug alone"), (with_partner, "the drug with its partner")]
    if isinstance(partner, Potency):
        given.append((partner, named(partner, "the partner")))
    return next((fault for drug, called in given if (fault := fault_of(drug, called)) is not None), None)


def _shown(index: Index, level: float) -> str:
    return f"{index.value:.3g} ({level:.0%} CI {index.interval.low:.3g}-{index.interval.high:.3g})"
