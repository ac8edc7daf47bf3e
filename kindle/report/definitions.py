"""What the words and numbers of a report mean."""

from detectors.criterion import Criterion
from kindle.report.markup import Html, element, section

_DURATIONS = (
    ("from train start", "onset of the train to the last spike of the first discharge; the train itself is in it"),
    ("from train end", "end of the train to the last spike of the first discharge; the silence before it is in it"),
    ("from first spike", "first to last spike of the first discharge"),
    ("total", "sum of first to last spike over all discharges, primary and secondary"),
    ("span", "first spike of the first to last spike of the last discharge, pauses included"),
)

_VERDICTS = (
    ("none", "the signal was judged and held no afterdischarge; its durations are 0"),
    ("undetermined", "an afterdischarge could lie where the signal could not be judged; its durations are missing"),
    ("void", "the train was not delivered as asked, or a person called it void: it says nothing about the brain"),
)


def discharge_in_words(criterion: Criterion) -> str:
    """Every parameter by which an evoked discharge is told."""
    return (
        f"spikes of at least {criterion.amplitude_ratio:g} × the baseline, at least {criterion.min_spike_hz:g} per "
        f"second, for at least {criterion.min_duration_s:g} s from the first to the last, that begin within "
        f"{criterion.onset_window_s:g} s of the train's end. Spikes up to {criterion.max_gap_s:g} s apart are one run. "
        f"Runs are one discharge when the pause between them is up to {criterion.merge_gap_s:g} s, or up to "
        f"{criterion.merge_gap_growth:g} times the pause before it but no more than {criterion.merge_gap_limit_s:g} s, "
        f"and the later run keeps {criterion.merge_amplitude:.0%} of the amplitude. One that begins within "
        f"{criterion.secondary_window_s:g} s of the end of another is secondary"
    )


def baseline_in_words(criterion: Criterion) -> str:
    return (
        f"baseline is the median, over the last {criterion.baseline_s:g} clean seconds before the train, of the "
        "largest |signal| in each second, measured on the band-passed signal"
    )


def definitions_section(criterion: Criterion) -> Html:
    ratio = f"{criterion.amplitude_ratio:g} ×"
    terms = (
        (
            "afterdischarge",
            discharge_in_words(criterion),
        ),
        (
            f"{ratio} baseline",
            f"{baseline_in_words(criterion)}. A spike counts when its peak, from "
            f"zero, reaches {ratio} that; within a discharge slightly smaller ones keep it going. The "
            "figures show the signal as recorded, less its median before the train, "
            "so that slow waves may cross the line without counting",
        ),
        (
            "interval",
            "onset of the train before to onset of this one in recorded time, where both lie in one recording",
        ),
        ("latency", "end of the train to the first spike of the first discharge"),
        *((f"duration {name}", words) for name, words in _DURATIONS),
        ("≥ before a duration", "the signal ended before the discharge did"),
        *_VERDICTS,
        (
            "threshold in (a, b]",
            "the highest current that clearly evoked nothing is a, the current that evoked the afterdischarge is b; "
            "the classical value b alone overstates the threshold by half a step on average",
        ),
    )
    listed = (part for term, words in terms for part in (element("dt", term), element("dd", f"{words}.")))
    return section("Definitions", element("dl", *listed))
