"""What the StimJim measured, against what it should have put out."""

from drivers.delivery_report import DeliveryReport
from drivers.stimjim_codec import UA_PER_READING, Summary
from drivers.stimjim_train import QuantisedTrain

SLACK_UA = 3 * UA_PER_READING
"""Two steps of its converter, and the fraction that the device drops when it takes the mean."""

COMPLIANCE_V = 13.7


def judge_summary(summary: Summary, train: QuantisedTrain, channel: int, tolerance: float) -> DeliveryReport:
    """The measured means of the phases of ``channel``; ``tolerance`` is a share of the current."""
    measured_ua = [float(stage[channel]) for stage in summary.measured]
    phase_ua = tuple(ua for ua, due in zip(measured_ua, train.stage_ua, strict=True) if due)
    return DeliveryReport(summary.n_pulses, phase_ua, _complaint(summary, measured_ua, train, tolerance))


def _complaint(summary: Summary, measured_ua: list[float], train: QuantisedTrain, tolerance: float) -> str:
    if summary.n_pulses != train.delivered.n_pulses:
        return f"the StimJim counted {summary.n_pulses} pulses where {train.delivered.n_pulses} should come"
    for measured, due in zip(measured_ua, train.stage_ua, strict=True):
        if abs(measured - due) > max(SLACK_UA, tolerance * abs(due)):
            if abs(measured) < abs(due):
                load_kohm = COMPLIANCE_V / abs(due) * 1000
                why = (
                    f"its {COMPLIANCE_V:g} V reach that current up to {load_kohm:.3g} kOhm: check the electrode and "
                    "its leads, or ask for less current"
                )
            else:
                why = "check its calibration with a known resistor"
            return f"the StimJim measured {measured:g} uA where {due:.4g} uA should flow; {why}"
    return ""
