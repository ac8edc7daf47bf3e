"""Warnings about charge are shown with their figures before the first train; what was said to them is written down."""

from collections.abc import Sequence

from kindle.electrode import ChargeReport, first_warnings, warning_text
from kindle.errors import KindleError
from kindle.experimenter import Experimenter, Unattended
from kindle.rows import WarningAcknowledged


def acknowledgements(
    reports: Sequence[ChargeReport], experimenter: Experimenter, *, simulated: bool
) -> list[WarningAcknowledged]:
    """One answer to each new warning on the way up. They never block; only a person who says so stops here.

    Raises ``KindleError`` when the person stops: nothing has been delivered and no session has begun.
    """
    rows = []
    for report in first_warnings(reports):
        if simulated:
            answer = "not asked: a simulated rat"
        elif isinstance(experimenter, Unattended):
            answer = "not acknowledged: nobody was at the rig"
        else:
            answer = _asked(report, experimenter)
        rows.append(WarningAcknowledged(report, answer))
    return rows


def _asked(report: ChargeReport, experimenter: Experimenter) -> str:
    pending = experimenter.ask(f"Warning. {warning_text(report)}. Go on?", ("stop", "acknowledged"))
    while (said := pending()) is None:
        if experimenter.wants_stop():
            said = "stop"
            break
    if said != "acknowledged":
        raise KindleError(f"stopped before the session began, at the warning: {warning_text(report)}")
    return said
