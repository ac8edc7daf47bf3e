"""Running the detector over a drawn recording, in one block or in many."""

from collections.abc import Sequence

import numpy as np
from generators import RAILS, UV_PER_COUNT, Recording

from detectors.afterdischarge import AfterdischargeDetector
from detectors.criterion import Afterdischarge, Criterion, Judgement


def judge(
    recording: Recording,
    criterion: Criterion | None = None,
    lost_s: Sequence[tuple[float, float]] = (),
    counts: np.ndarray | None = None,
) -> Judgement:
    """The final judgement; ``lost_s`` are spans after the train that never arrive."""
    counts = recording.counts() if counts is None else counts
    detector = AfterdischargeDetector(1, recording.rate_hz, [UV_PER_COUNT], criterion or Criterion(), rails=[RAILS])
    detector.stimulus_begins(recording.stimulus.onset_sample)
    detector.stimulus_ends(recording.stimulus.end_sample)
    position = 0
    for first_s, last_s in lost_s:
        first, last = recording.at(first_s), recording.at(last_s)
        detector.push(counts[:, position:first])
        detector.gap(last - first)
        position = last
    detector.push(counts[:, position:])
    detector.finish()
    (judgement,) = detector.judgements(0)
    assert judgement.final
    return judgement


def onset_s(recording: Recording, event: Afterdischarge) -> float:
    return recording.seconds_after(event.onset_sample)


def end_s(recording: Recording, event: Afterdischarge) -> float:
    return recording.seconds_after(event.end_sample)
