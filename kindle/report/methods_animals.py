"""Methods: the animals, their electrodes, and what the signal was recorded with."""

from collections import Counter
from collections.abc import Iterator

from kindle.errors import RecordingError
from kindle.ledger import WeightFact
from kindle.recording import open_recording
from kindle.report.study_facts import StudyFacts
from kindle.report.study_words import counted, listed, range_of
from kindle.rows import RecordingStarted
from kindle.session_view import SessionView


def animals(facts: StudyFacts) -> Iterator[str]:
    kinds = Counter((animal.species, animal.strain, animal.sex) for animal in facts.animals.values())
    yield f"{listed(_kind_in_words(animal, n) for animal, n in kinds.items())}."
    born = sorted(animal.born for animal in facts.animals.values() if animal.born)
    if born:
        yield f"Born {born[0]}{'' if born[0] == born[-1] else f' to {born[-1]}'}, known of {len(born)}."
    first = [ledger.weights[0] for ledger in facts.ledgers.values() if ledger.weights]
    if first:
        yield f"Weight when first weighed: {_weights(first)}."
    without = sum(not ledger.weights for ledger in facts.ledgers.values())
    if without:
        yield f"{counted(without, 'animal')} {'has' if without == 1 else 'have'} no weight in the journal."
    yield from _electrodes(facts)


def recording(facts: StudyFacts) -> Iterator[str]:
    """Devices as they identified themselves, with the range of the EEG inputs as the recordings have it."""
    known: Counter[tuple[str, str, float, str]] = Counter()
    for view in facts.sessions:
        for started in view.recordings:
            known[started.source, started.stimulator, started.rate_hz, view.started.rig] += 1
    for (source, stimulator, rate_hz, rig), n in known.items():
        inputs = next(filter(None, (_inputs(facts, view, source) for view in facts.sessions)), "")
        yield (
            f"Rig {rig} ({counted(n, 'recording')}): signals were digitised by {source} at {rate_hz:g} Hz per channel"
            f"{inputs}; trains came from {stimulator}."
        )
    calibrated = {view.started.calibration for view in facts.sessions if view.started.calibration is not None}
    for calibration in sorted(calibrated, key=lambda one: (one.date, one.author, one.ua_per_v)):
        yield (
            f"The isolator gave {calibration.ua_per_v:.4g} µA per volt, measured into {calibration.load_ohm:g} Ω on "
            f"{calibration.date} by {calibration.author}."
        )


def _kind_in_words(kind: tuple[str, str, str], n: int) -> str:
    species, strain, sex = kind
    told = f"strain {strain}" if strain else "strain not in the journal"
    return f"{counted(n, species)}, {told}, {sex or 'sex not in the journal'}"


def _weights(weights: list[WeightFact]) -> str:
    return range_of([fact.weight_g for fact in weights], "g")


def _electrodes(facts: StudyFacts) -> Iterator[str]:
    known = Counter(view.started.electrode for view in facts.sessions)
    for electrode, n in known.items():
        if electrode is None:
            yield f"No electrode was named in study.toml for {counted(n, 'session')}."
        else:
            yield (
                f"Electrode in {counted(n, 'session')}: {electrode.material}, {electrode.area_cm2:.3g} cm² exposed at "
                "the smaller contact."
            )


def _inputs(facts: StudyFacts, view: SessionView, source: str) -> str:
    started = next((one for one in view.recordings if one.source == source), None)
    return "" if started is None else _range(facts, view, started)


def _range(facts: StudyFacts, view: SessionView, started: RecordingStarted) -> str:
    try:
        channels = open_recording(facts.source(view.id).folder / started.folder).channels
    except RecordingError:
        return ""
    eeg = [channel for channel in channels if channel.role == "eeg"]
    if not eeg:
        return ""
    first = eeg[0]
    low, high = (counts * first.resolution for counts in first.rail_counts)
    return f", EEG from {low:.4g} to {high:.4g} {first.unit} in steps of {first.resolution:.3g} {first.unit}"
