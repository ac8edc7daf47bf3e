"""Under which settings the session ran: parameters with their sources, limits, and the charge that was delivered."""

from drivers.interface import charge_density_uc_cm2, shannon_k
from kindle.electrode import ChargeReport, Electrode, first_warnings, material_of, warning_text
from kindle.exchange import Trial
from kindle.report.markup import NOTHING, Html, element, section, table
from kindle.report.trains import Train
from kindle.report.wording import MISSING, number, typeset
from kindle.rows import SessionStarted
from kindle.safety import SafetyLimits
from kindle.sourced import Parameter, Status

_STATUS: dict[Status, str] = {
    "retrieved": "read in the source",
    "derived": "derived",
    "unverified": "unverified",
    "laboratory": "set by this laboratory",
}

_LIMITS = (
    ("max_current_ua", "current", "µA"),
    ("max_phase_us", "phase", "µs"),
    ("max_pulse_hz", "pulse rate", "Hz"),
    ("max_train_s", "train", "s"),
    ("max_charge_per_phase_uc", "charge per phase", "µC"),
    ("max_net_charge_uc", "direct current charge of a train", "µC"),
    ("max_charge_per_train_uc", "charge of a train", "µC"),
    ("max_charge_per_session_uc", "charge of a session", "µC"),
    ("max_charge_per_day_uc", "charge of an animal in 24 h", "µC"),
    ("max_trains_per_session", "trains of a session", ""),
    ("min_interval_s", "train onset to train onset, at least", "s"),
    ("lockout_after_afterdischarge_s", "end of an afterdischarge to the next train, at least", "s"),
)


def parameters_section(parameters: tuple[Parameter, ...]) -> Html:
    rows: list[tuple[str, ...]] = [
        (
            element("code", parameter.name),
            typeset(parameter.value),
            element("span", _STATUS[parameter.status], class_=parameter.status),
            f"{parameter.source}; {parameter.note}" if parameter.note else parameter.source,
        )
        for parameter in parameters
    ]
    return section("Parameters in force", table(("parameter", "value", "status", "source"), rows, class_="sources"))


def limits_section(limits: SafetyLimits) -> Html:
    """The stricter of the rig's and the study's, as they were in force."""
    rows: list[tuple[str, ...]] = [
        (what if "at least" in what else f"{what}, at most", f"{getattr(limits, name):g} {unit}")
        for name, what, unit in _LIMITS
    ]
    return section("Safety limits", table(("limit", "value"), rows, class_="keys"))


def charge_section(series: list[Train], started: SessionStarted) -> Html:
    electrode = started.electrode
    rows = [_charge_row(train, train.reply, electrode) for train in series if isinstance(train.reply, Trial)]
    headers = ("train", "current µA", "charge per phase µC", "per train µC", "direct current µC")
    density = ("density µC/cm² per phase", "Shannon k")
    return section(
        "Charge",
        table((*headers, *density), rows, class_="numbers"),
        element("p", _electrode(electrode), class_="quiet"),
        _warnings(started.warnings),
    )


def _charge_row(train: Train, trial: Trial, electrode: Electrode | None) -> tuple[str, ...]:
    delivered = trial.delivered
    phase_uc = delivered.charge_per_phase_uc
    density = k = MISSING
    if electrode is not None:
        density = number(charge_density_uc_cm2(phase_uc, electrode.area_cm2), 3)
        k = f"{shannon_k(phase_uc, electrode.area_cm2):.2f}"
    charges = (number(phase_uc, 3), number(delivered.charge_uc, 3), number(delivered.net_charge_uc, 3))
    return (str(train.number), number(delivered.current_ua), *charges, density, k)


def _electrode(electrode: Electrode | None) -> str:
    if electrode is None:
        return "study.toml named no electrode, so charge density and Shannon's k are not known."
    return (
        f"Electrode: {electrode.material}, {electrode.area_cm2:.3g} cm² exposed. "
        f"Shannon 1992: damage from about k = 1.85, conservatively 1.5. {_density_limit(electrode)} "
        "Void trains are not in this table."
    )


def _density_limit(electrode: Electrode) -> str:
    material = material_of(electrode)
    if material is None:
        return "For this material no charge density is known from which on it may corrode, so none was warned about."
    return (
        f"Given for {material.name}: {material.cathodic_first_uc_cm2:g} µC/cm² cathodic first, "
        f"{material.anodic_first_uc_cm2:g} anodic first (Merrill et al. 2005, at phases of 0.2 ms; unverified)."
    )


def _warnings(reports: tuple[ChargeReport, ...]) -> Html:
    """As given when the session began, for the planned series: each warning with the least charge that gives it."""
    if not reports:
        return NOTHING
    told = "; ".join(warning_text(report) for report in first_warnings(reports))
    currents = "1 current" if len(reports) == 1 else f"{len(reports)} currents"
    return element(
        "p", typeset(f"Warned of when the session began, for {currents} of its series. {told}."), class_="warning"
    )
