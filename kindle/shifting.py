"""A judgement counted from the start of a segment, counted from the start of the recording instead."""

from dataclasses import replace

from detectors.criterion import Afterdischarge, Judgement, Stimulus


def shifted(judgement: Judgement, by: int) -> Judgement:
    """Every sample in ``judgement`` is ``by`` later."""
    if by == 0:
        return judgement
    stimulus = judgement.stimulus
    return replace(
        judgement,
        stimulus=Stimulus(stimulus.onset_sample + by, stimulus.end_sample + by),
        afterdischarges=tuple(_shifted(event, by) for event in judgement.afterdischarges),
        blind=tuple((first + by, end + by) for first, end in judgement.blind),
    )


def _shifted(event: Afterdischarge, by: int) -> Afterdischarge:
    earliest, latest = event.earliest_onset_sample, event.latest_end_sample
    return replace(
        event,
        onset_sample=event.onset_sample + by,
        end_sample=event.end_sample + by,
        earliest_onset_sample=None if earliest is None else earliest + by,
        latest_end_sample=None if latest is None else latest + by,
    )
