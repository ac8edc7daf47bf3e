"""Hypothesis strategies for plans, animals, and everything that a journal may hold."""

from hypothesis import strategies as st
from pure_animal import Animal, Fate

from detectors.criterion import Afterdischarge, Criterion, EndGrade, Kind, Verdict
from drivers.interface import DeliveredTrain, PulseTrain
from kindle.behaviour import ItemStamp, Scoring, StageStamp, Undo
from kindle.exchange import (
    CodedDose,
    Confirm,
    Confirmed,
    Dose,
    Drawn,
    Inject,
    Injected,
    MeasuredTrain,
    Observe,
    Observed,
    Reply,
    Request,
    Rest,
    Rested,
    Scored,
    ScoreSeizure,
    Stimulate,
    Trial,
    VoidTrial,
    Withheld,
)
from kindle.protocols.ladder import Add, Listed, Ratio, Step
from kindle.protocols.threshold import ThresholdPlan, TrainShape

FATES: tuple[Fate, ...] = ("clear", "clear", "void", "undetermined")


def steps() -> st.SearchStrategy[Step]:
    return st.one_of(
        st.builds(Ratio, st.floats(1.1, 3.0)),
        st.builds(Add, st.floats(10.0, 200.0)),
        st.lists(st.floats(1.0, 2000.0), min_size=1, max_size=12, unique=True).map(
            lambda us: Listed(tuple(sorted(us)))
        ),
    )


def plans() -> st.SearchStrategy[ThresholdPlan]:
    return st.builds(
        ThresholdPlan,
        preset=st.just("any@1"),
        start_ua=st.floats(1.0, 50.0),
        step=steps(),
        max_ua=st.floats(50.0, 2000.0),
        interval_s=st.floats(0.0, 600.0),
        lockout_after_ad_s=st.floats(0.0, 14_400.0),
        baseline_s=st.floats(0.0, 60.0),
        watch_s=st.just(45.0),
        train=st.just(TrainShape("biphasic", "cathodic_first", 1000.0, 0.0, 50.0, 1.0)),
        criterion=st.just(Criterion()),
        if_undetermined=st.sampled_from(("ask", "stop")),
    )


def animals() -> st.SearchStrategy[Animal]:
    """Void and undetermined trains, and an experimenter who answers anything, at random."""
    return st.builds(
        Animal,
        threshold_ua=thresholds_ua(),
        fates=st.lists(st.sampled_from(FATES), max_size=20),
        answers=st.lists(st.integers(0, 3), max_size=10),
    )


def clear_animals() -> st.SearchStrategy[Animal]:
    return st.builds(Animal, threshold_ua=thresholds_ua())


def thresholds_ua() -> st.SearchStrategy[float]:
    return st.floats(1.0, 3000.0)


_numbers = st.floats(allow_nan=False, allow_infinity=False)
_samples = st.integers(0, 2**62)
_words = st.text(max_size=20)
_trains = st.builds(
    PulseTrain,
    current_ua=_numbers,
    phase_us=_numbers,
    interphase_us=_numbers,
    pulse_hz=_numbers,
    train_s=_numbers,
    shape=st.sampled_from(("biphasic", "monophasic")),
    polarity=st.sampled_from(("cathodic_first", "anodic_first")),
)
_delivered = st.builds(
    DeliveredTrain,
    current_ua=_numbers,
    phase_us=_numbers,
    interphase_us=_numbers,
    period_us=_numbers,
    n_pulses=_samples,
    net_charge_uc=_numbers,
    shape=st.sampled_from(("biphasic", "monophasic")),
    polarity=st.sampled_from(("cathodic_first", "anodic_first")),
)
_measured = st.builds(MeasuredTrain, _samples, _samples, st.none() | _numbers, st.none() | _samples)
_afterdischarges = st.builds(
    Afterdischarge,
    onset_sample=_samples,
    end_sample=_samples,
    kind=st.sampled_from(Kind),
    n_spikes=_samples,
    peak_uv=_numbers,
    median_ratio=_numbers,
    spike_hz=_numbers,
    end_grade=st.sampled_from(EndGrade),
    confidence=_numbers,
)
_doses = st.builds(Dose, _words, _words, _numbers, _words, _numbers) | st.builds(
    CodedDose, _words, _numbers, _words, _numbers
)
_drawn = st.none() | st.builds(Drawn, _numbers, _numbers, _numbers, st.none() | _numbers, st.none() | _numbers)
_stamps = st.lists(
    st.one_of(
        st.builds(StageStamp, _samples, _numbers),
        st.builds(ItemStamp, _samples, _words, st.sampled_from(("event", "begins", "ends"))),
        st.builds(Undo, _samples, _samples),
    ),
    max_size=4,
).map(tuple)


def requests() -> st.SearchStrategy[Request]:
    return st.one_of(
        st.builds(Stimulate, _trains),
        st.builds(Rest, _numbers, _words),
        st.builds(ScoreSeizure, _words),
        st.builds(Inject, _doses, _drawn),
        st.builds(Observe, _numbers, _words),
        st.builds(Confirm, _words, st.lists(_words, max_size=4).map(tuple)),
    )


def replies() -> st.SearchStrategy[Reply]:
    return st.one_of(
        st.builds(
            Trial,
            train=_trains,
            delivered=_delivered,
            measured=_measured,
            verdict=st.sampled_from(Verdict),
            reason=_words,
            afterdischarges=st.lists(_afterdischarges, max_size=3).map(tuple),
            baseline_uv=st.none() | _numbers,
            blind=st.lists(st.tuples(_samples, _samples), max_size=3).map(tuple),
            channel=_words,
            rate_hz=_numbers,
            recording=_words,
            first_sample=_samples,
            last_sample=_samples,
        ),
        st.builds(VoidTrial, _trains, _words, st.booleans(), st.none() | _measured, _words, _samples),
        st.builds(Rested, _samples, _words),
        st.builds(Scored, _words, st.none() | _numbers, _stamps),
        st.builds(Injected, _doses, _samples, _drawn, _words),
        st.just(Withheld()),
        st.builds(Observed, st.builds(Scoring, _words, _stamps), _samples, _samples, _numbers, _words),
        st.builds(Confirmed, _words),
    )
