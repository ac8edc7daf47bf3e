"""A delivered train and what the signal says about it, put together: live, and from what an interruption left."""

from math import ceil, isnan

from detectors.criterion import Judgement
from drivers.interface import DeliveredTrain, PulseTrain
from kindle.exchange import MeasuredTrain, Trial
from kindle.stream import Stream


def judged_trial(
    stream: Stream,
    train: PulseTrain,
    delivered: DeliveredTrain,
    measured: MeasuredTrain,
    judgement: Judgement,
    *,
    recording: str,
    baseline_s: float,
) -> Trial:
    """``recording`` is the folder that ``stream`` was written to, relative to the study."""
    return Trial(
        train=train,
        delivered=delivered,
        measured=measured,
        verdict=judgement.verdict,
        reason=judgement.reason,
        afterdischarges=judgement.afterdischarges,
        baseline_uv=None if isnan(judgement.baseline_uv) else judgement.baseline_uv,
        blind=judgement.blind,
        channel=stream.channels[stream.rows.eeg[0]].name,
        rate_hz=stream.rate_hz,
        recording=recording,
        first_sample=max(0, measured.onset_sample - ceil(baseline_s * stream.rate_hz)),
        last_sample=stream.n_samples,
    )
