"""The rows that every export has: trials, discharges, doses and what was seen, with a unit and a meaning per column."""

from collections.abc import Iterator
from dataclasses import dataclass

from detectors.criterion import Verdict
from kindle.behaviour import ItemStamp, Scoring, StageStamp
from kindle.exchange import Dose, Injected, Observed, Scored, Trial, VoidTrial
from kindle.export.contents import Answer, Contents

Value = str | int | float | None
Row = dict[str, Value]


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    unit: str
    meaning: str
    kind: type[str] | type[int] | type[float]


@dataclass(frozen=True, slots=True)
class Rows:
    name: str
    meaning: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]


def _columns(*told: tuple[str, str, type[str] | type[int] | type[float], str]) -> tuple[Column, ...]:
    return tuple(Column(name, unit, meaning, kind) for name, unit, kind, meaning in told)


_WHOSE = _columns(
    ("animal", "", str, "id of the animal"),
    ("session", "", str, "id of the session, as kindle study show lists it"),
)
TRIALS = _columns(
    ("trial", "", int, "number of the train in its session, from 1"),
    ("journal_row", "", int, "row of the journal that holds the trial"),
    ("utc", "", str, "when the train was asked for, ISO 8601"),
    ("recording", "", str, "folder of its signal in the study"),
    ("start_s", "s", float, "onset of the train from the start of the session's first recording"),
    ("stop_s", "s", float, "end of the train"),
    ("watched_until_s", "s", float, "how far the signal was judged"),
    ("protocol", "", str, "protocol of the session"),
    ("condition", "", str, "treatment of the day; its code while the study is blind"),
    ("current_asked_ua", "uA", float, "current as asked"),
    ("current_delivered_ua", "uA", float, "current as the stimulator quantised it"),
    ("current_measured_ua", "uA", float, "median plateau of the current monitor"),
    ("phase_us", "us", float, "duration of one phase"),
    ("pulse_hz", "Hz", float, "pulses per second"),
    ("n_pulses", "", int, "pulses of the train"),
    ("shape", "", str, "biphasic or monophasic"),
    ("charge_uc", "uC", float, "charge moved over the whole train"),
    ("outcome", "", str, "delivered, or void: a train that came wrong says nothing about the brain"),
    ("verdict", "", str, "afterdischarge, none or undetermined"),
    ("reason", "", str, "of the verdict, or why the trial is void"),
    ("channel", "", str, "channel that was judged"),
    ("baseline_uv", "uV", float, "amplitude of the background before the train"),
    ("n_afterdischarges", "", int, "primary and secondary discharges"),
    ("from_train_end_s", "s", float, "duration of the first discharge from the end of the train"),
    ("from_first_spike_s", "s", float, "duration of the first discharge from its first spike"),
    ("total_s", "s", float, "duration of all discharges together"),
    ("stage", "", float, "seizure stage, as last corrected"),
    ("scale", "", str, "scale of the stage, with its version"),
)
DISCHARGES = _columns(
    ("trial", "", int, "number of the train in its session"),
    ("journal_row", "", int, "row of the journal that holds the trial"),
    ("number", "", int, "of the discharge after its train, from 1"),
    ("kind", "", str, "primary or secondary"),
    ("start_s", "s", float, "first spike, from the start of the session's first recording"),
    ("stop_s", "s", float, "last spike"),
    ("duration_s", "s", float, "from first to last spike"),
    ("n_spikes", "", int, "spikes counted"),
    ("spike_hz", "Hz", float, "spikes per second"),
    ("peak_uv", "uV", float, "largest amplitude"),
    ("median_ratio", "", float, "median spike against the baseline"),
    ("end_grade", "", str, "clear, gradual, artefact or truncated"),
    ("confidence", "", float, "of the detector, 0 to 1"),
)
DOSES = _columns(
    ("utc", "", str, "when the injection was confirmed, ISO 8601"),
    ("start_s", "s", float, "from the start of the session's first recording; empty where no signal was recorded"),
    ("condition", "", str, "treatment of the day; its code while the study is blind"),
    ("substance", "", str, "what was injected; the code of the bottle while the study is blind"),
    ("basis", "", str, "of what the milligrams are"),
    ("mg_per_kg", "mg/kg", float, "dose as given; empty while it is blinded"),
    ("mmol_per_kg", "mmol/kg", float, "of the active part; empty while it is blinded"),
    ("volume_ml", "ml", float, "in the syringe"),
    ("weight_g", "g", float, "of the animal, as drawn for"),
    ("route", "", str, "such as ip"),
    ("pretreatment_s", "s", float, "from the injection to the test, as planned"),
)
BEHAVIOUR = _columns(
    ("journal_row", "", int, "row of the journal that holds the observation"),
    ("start_s", "s", float, "from the start of the session's first recording"),
    ("scale", "", str, "scale or ethogram, with its version"),
    ("stage", "", float, "stage from here on"),
    ("item", "", str, "single item, such as fall"),
    ("edge", "", str, "event, begins or ends"),
)


def trials(contents: Contents) -> Rows:
    found = tuple(_trial(contents, number, *one) for number, one in enumerate(contents.trials, 1))
    return Rows("trials", "Every train with what was delivered and what the signal says", (*_WHOSE, *TRIALS), found)


def discharges(contents: Contents) -> Rows:
    found = [
        row
        for number, (answer, trial) in enumerate(contents.trials, 1)
        if isinstance(trial, Trial)
        for row in _discharges(contents, number, answer.seq, trial)
    ]
    return Rows("afterdischarges", "Every discharge after a train", (*_WHOSE, *DISCHARGES), tuple(found))


def doses(contents: Contents) -> Rows:
    found = [
        {
            **_whose(contents),
            "utc": fact.utc.isoformat(),
            "start_s": None if fact.given is None else _seconds(contents, fact.given.recording, fact.given.sample),
            "condition": fact.condition,
            "substance": fact.name,
            "mg_per_kg": fact.mg_per_kg,
            "mmol_per_kg": fact.mmol_per_kg,
            **_syringe(fact.given),
        }
        for fact in contents.injections
    ]
    return Rows("doses", "Every injection", (*_WHOSE, *DOSES), tuple(found))


def behaviour(contents: Contents) -> Rows:
    """Stages and items as they were stamped; a stage entered without a time is in the trials alone."""
    found: list[Row] = []
    recording = ""
    for answer in contents.answers:
        match answer.reply:
            case Trial(recording=folder) | VoidTrial(recording=folder):
                recording = folder
            case Scored(scale=scale, stamps=stamps):
                found += _stamps(contents, recording, answer.seq, Scoring(scale, stamps))
            case Observed(scoring=scoring, recording=folder):
                found += _stamps(contents, folder, answer.seq, scoring)
            case _:
                pass
    return Rows("behaviour", "What was seen, when it was seen", (*_WHOSE, *BEHAVIOUR), tuple(found))


def _trial(contents: Contents, number: int, answer: Answer, trial: Trial | VoidTrial) -> Row:
    fact = contents.trains.get(answer.seq)
    measured, train = trial.measured, trial.train
    row: Row = {
        **_whose(contents),
        "trial": number,
        "journal_row": answer.seq,
        "utc": answer.asked_utc.isoformat(),
        "recording": trial.recording,
        "start_s": None if measured is None else _seconds(contents, trial.recording, measured.onset_sample),
        "stop_s": None if measured is None else _seconds(contents, trial.recording, measured.end_sample),
        "watched_until_s": _seconds(contents, trial.recording, trial.last_sample),
        "protocol": contents.protocol,
        "condition": "" if fact is None else fact.condition,
        "current_asked_ua": train.current_ua,
        "current_delivered_ua": None if trial.delivered is None else trial.delivered.current_ua,
        "current_measured_ua": None if measured is None else measured.current_ua,
        "phase_us": train.phase_us,
        "pulse_hz": train.pulse_hz,
        "n_pulses": train.n_pulses,
        "shape": train.shape,
        "charge_uc": train.charge_uc if trial.delivered is None else trial.delivered.charge_uc,
        "outcome": "void" if isinstance(trial, VoidTrial) else "delivered",
        "verdict": trial.verdict.value,
        "reason": trial.reason,
        "stage": None if fact is None else fact.stage,
        "scale": "" if fact is None or fact.stage is None else fact.scale,
    }
    return row | _judged(trial) if isinstance(trial, Trial) else row


def _judged(trial: Trial) -> Row:
    row: Row = {
        "channel": trial.channel,
        "baseline_uv": trial.baseline_uv,
        "n_afterdischarges": len(trial.afterdischarges),
    }
    if trial.verdict is Verdict.UNDETERMINED:
        return row
    durations = trial.durations
    return row | {
        "from_train_end_s": round(durations.from_train_end, 6),
        "from_first_spike_s": round(durations.from_first_spike, 6),
        "total_s": round(durations.total, 6),
    }


def _discharges(contents: Contents, number: int, seq: int, trial: Trial) -> Iterator[Row]:
    for place, event in enumerate(trial.afterdischarges, 1):
        yield {
            **_whose(contents),
            "trial": number,
            "journal_row": seq,
            "number": place,
            "kind": event.kind.value,
            "start_s": _seconds(contents, trial.recording, event.onset_sample),
            "stop_s": _seconds(contents, trial.recording, event.end_sample),
            "duration_s": round((event.end_sample - event.onset_sample) / trial.rate_hz, 6),
            "n_spikes": event.n_spikes,
            "spike_hz": event.spike_hz,
            "peak_uv": event.peak_uv,
            "median_ratio": event.median_ratio,
            "end_grade": event.end_grade.value,
            "confidence": event.confidence,
        }


def _syringe(given: Injected | None) -> Row:
    if given is None:
        return {}
    dose, drawn = given.dose, given.drawn
    return {
        "basis": dose.basis if isinstance(dose, Dose) else "",
        "volume_ml": None if drawn is None else drawn.volume_ml,
        "weight_g": None if drawn is None else drawn.weight_g,
        "route": dose.route,
        "pretreatment_s": dose.pretreatment_s,
    }


def _stamps(contents: Contents, folder: str, seq: int, scoring: Scoring) -> Iterator[Row]:
    for stamp in scoring.standing:
        yield {
            **_whose(contents),
            "journal_row": seq,
            "start_s": _seconds(contents, folder, stamp.sample),
            "scale": scoring.scale,
            "stage": stamp.stage if isinstance(stamp, StageStamp) else None,
            "item": stamp.item if isinstance(stamp, ItemStamp) else "",
            "edge": stamp.edge if isinstance(stamp, ItemStamp) else "",
        }


def _whose(contents: Contents) -> Row:
    return {"animal": contents.animal.id, "session": contents.id}


def _seconds(contents: Contents, folder: str, sample: int) -> float | None:
    """On the clock of the session; ``None`` where the recording is not here."""
    stored = contents.stored(folder)
    return None if stored is None else round(contents.offset_s(stored) + stored.seconds(sample), 6)
