"""The table of trains: what was asked, what flowed, what it evoked."""

from detectors.criterion import EndGrade, Verdict
from kindle.exchange import MeasuredTrain, Trial, VoidTrial
from kindle.report.markup import Html, element, escaped, joined
from kindle.report.style import MARKS
from kindle.report.trains import Train
from kindle.report.wording import MISSING, number, seconds, typeset

_GROUPS = (("", 1), ("current (µA)", 3), ("delivered", 3), ("", 1), ("afterdischarge (s)", 6), ("", 4))
_COLUMNS = (
    "train",
    "asked",
    "quantised",
    "measured",
    "pulses",
    "Hz",
    "interval s",
    "verdict",
    "latency",
    "from train start",
    "from train end",
    "from first spike",
    "total",
    "span",
    "base\u00adline µV",
    "peak µV",
    "confi\u00addence",
    "end",
)


def staircase_table(series: list[Train]) -> Html:
    groups = element(
        "tr",
        *(
            element("th", name, colspan=str(width), scope="colgroup", class_="group" if name else "none")
            for name, width in _GROUPS
        ),
    )
    names = element("tr", *(element("th", name, scope="col") for name in _COLUMNS))
    before = [None, *series]
    rows = joined(*(row for previous, train in zip(before, series, strict=False) for row in _rows(train, previous)))
    return element("table", element("thead", groups, names), element("tbody", rows), class_="numbers")


def _rows(train: Train, previous: Train | None) -> tuple[Html, ...]:
    mark = MARKS[train.state].symbol
    verdict = f"{mark} {train.state}"
    reply = train.reply
    cells = (
        str(train.number),
        number(train.asked.current_ua),
        *_delivery(reply),
        _interval(train, previous),
        verdict,
        *(_evoked(reply) if isinstance(reply, Trial) else (MISSING,) * 10),
    )
    row = element(
        "tr",
        *(element("td", cell, class_="verdict" if cell is verdict else "") for cell in cells),
        class_=train.state.value,
    )
    why = _why(train)
    if not why:
        return (row,)
    reason = element("tr", element("td"), element("td", why, colspan=str(len(_COLUMNS) - 1)), class_="why")
    return row, reason


def _delivery(reply: Trial | VoidTrial | None) -> tuple[str, ...]:
    """Quantised current, measured current, pulses and rate; of a void train only what was measured."""
    match reply:
        case Trial(delivered=delivered, measured=measured):
            pulses = f"{_pulses(measured)} of {delivered.n_pulses}"
            return number(delivered.current_ua, 5), number(measured.current_ua), pulses, f"{delivered.pulse_hz:.2f}"
        case VoidTrial(measured=MeasuredTrain() as measured, train=train):
            return MISSING, number(measured.current_ua), f"{_pulses(measured)} of {train.n_pulses}", MISSING
        case _:
            return (MISSING,) * 4


def _interval(train: Train, previous: Train | None) -> str:
    """Onset to onset; unknown after a train that never came or in another recording, which has its own clock."""
    match train.reply, previous and previous.reply:
        case Trial() as now, (Trial() | VoidTrial()) as then if then.measured and then.recording == now.recording:
            return f"{(now.measured.onset_sample - then.measured.onset_sample) / now.rate_hz:.1f}"
        case _:
            return MISSING


def _pulses(measured: MeasuredTrain) -> str:
    return MISSING if measured.n_pulses is None else str(measured.n_pulses)


def _evoked(trial: Trial) -> tuple[str, ...]:
    """From latency to end grade. Missing is not zero: only *none* has durations of 0."""
    baseline = number(trial.baseline_uv, 3)
    match trial.verdict:
        case Verdict.AFTERDISCHARGE:
            first, durations = trial.afterdischarges[0], trial.durations
            latency_s = (first.onset_sample - trial.measured.end_sample) / trial.rate_hz
            first_s = [durations.from_train_start, durations.from_train_end, durations.from_first_spike]
            all_s = [durations.total, durations.span]
            any_cut = any(event.end_grade is EndGrade.TRUNCATED for event in trial.afterdischarges)
            return (
                seconds(latency_s),
                *(_at_least(first.end_grade is EndGrade.TRUNCATED) + seconds(value) for value in first_s),
                *(_at_least(any_cut) + seconds(value) for value in all_s),
                baseline,
                number(first.peak_uv, 4),
                f"{first.confidence:.2f}",
                first.end_grade.value,
            )
        case Verdict.NONE:
            return (MISSING, *("0",) * 5, baseline, MISSING, MISSING, MISSING)
        case Verdict.UNDETERMINED:
            return (*(MISSING,) * 6, baseline, MISSING, MISSING, MISSING)


def _at_least(cut_off: bool) -> str:
    return "≥ " if cut_off else ""


def _why(train: Train) -> Html:
    parts = [] if train.state_in_words == train.state else [train.state_in_words]
    if train.reply is not None and train.reply.reason:
        parts.append(typeset(train.reply.reason))
    return escaped("; ".join(parts))
