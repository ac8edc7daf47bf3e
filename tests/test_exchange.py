"""Requests, replies and the verbs between them."""

from collections.abc import Callable
from typing import get_args

import msgspec
import pytest
from hypothesis import given, settings
from pure_animal import trial
from strategies import replies, requests

from detectors.criterion import Verdict
from drivers.interface import PulseTrain
from kindle.behaviour import Scoring, StageStamp
from kindle.engine import run
from kindle.exchange import (
    Confirm,
    Confirmed,
    Dose,
    Inject,
    Injected,
    Observe,
    Observed,
    Reply,
    Request,
    Rest,
    Rested,
    Scored,
    ScoreSeizure,
    Steps,
    Stimulate,
    UnexpectedReply,
    VoidTrial,
    Withheld,
    confirm,
    inject,
    observe,
    rest,
    score,
    stimulate,
)

TRAIN = PulseTrain(current_ua=100.0, phase_us=1000.0, interphase_us=0.0, pulse_hz=50.0, train_s=1.0)
SEEN = Observed(Scoring("ptz", (StageStamp(3, 1.0),)), 0, 1_800_000, 1000.0, "recordings/R01")
DOSE = Dose("valproate", "sodium salt", 200.0, "i.p.", 900.0)
TRIAL = trial(TRAIN, Verdict.AFTERDISCHARGE, 30_000, 75_000)
VOID = VoidTrial(TRAIN, "no current", False, None, "r", 75_000)

EXCHANGES: list[tuple[Callable[[], Steps[object]], Request, Reply, object]] = [
    (lambda: stimulate(TRAIN), Stimulate(TRAIN), TRIAL, TRIAL),
    (lambda: stimulate(TRAIN), Stimulate(TRAIN), VOID, VOID),
    (lambda: rest(60.0, "interval"), Rest(60.0, "interval"), Rested(9), Rested(9)),
    (lambda: score("racine"), ScoreSeizure("racine"), Scored("racine", 4.0), Scored("racine", 4.0)),
    (lambda: inject(DOSE), Inject(DOSE), Injected(DOSE, 5), Injected(DOSE, 5)),
    (lambda: inject(DOSE), Inject(DOSE), Withheld(), Withheld()),
    (
        lambda: observe(1800.0, "ptz"),
        Observe(1800.0, "ptz"),
        SEEN,
        SEEN,
    ),
    (lambda: confirm("Go on?", ("no", "yes")), Confirm("Go on?", ("no", "yes")), Confirmed("yes"), "yes"),
]


@pytest.mark.parametrize(("verb", "asked", "heard", "result"), EXCHANGES)
def test_a_verb_asks_its_request_and_returns_the_reply(
    verb: Callable[[], Steps[object]], asked: Request, heard: Reply, result: object
) -> None:
    requested: list[Request] = []

    def perform(request: Request) -> Reply:
        requested.append(request)
        return heard

    assert run(verb(), perform) == result
    assert requested == [asked]


@pytest.mark.parametrize(("verb", "asked", "heard", "result"), EXCHANGES)
def test_a_verb_refuses_the_reply_to_another_request(
    verb: Callable[[], Steps[object]], asked: Request, heard: Reply, result: object
) -> None:
    wrong: Reply = Rested(1) if not isinstance(heard, Rested) else Confirmed("yes")
    with pytest.raises(UnexpectedReply, match=f"heard {type(wrong).__name__}"):
        run(verb(), lambda _: wrong)


def test_every_request_has_a_verb() -> None:
    assert {type(asked) for _, asked, _, _ in EXCHANGES} == set(get_args(Request))
    assert {type(heard) for _, _, heard, _ in EXCHANGES} == set(get_args(Reply))


def test_an_answer_that_was_not_offered_is_refused() -> None:
    with pytest.raises(UnexpectedReply, match=r"'perhaps' is none of the answers to 'Go on\?': no, yes"):
        run(confirm("Go on?", ("no", "yes")), lambda _: Confirmed("perhaps"))


def test_a_trial_knows_the_durations_of_its_discharge() -> None:
    """Train 30.0-31.0 s, first spike 31.2 s, last spike 70.0 s, read up to 75.0 s."""
    assert TRIAL.stimulus.onset_sample == 30_000
    assert TRIAL.since_onset_s == 45.0
    assert TRIAL.durations.from_train_start == 40.0
    assert TRIAL.durations.from_train_end == 39.0
    assert TRIAL.durations.from_first_spike == pytest.approx(38.8)


@settings(deadline=None)
@given(request=requests())
def test_every_request_survives_the_journal(request: Request) -> None:
    assert msgspec.json.decode(msgspec.json.encode(request), type=Request) == request


@settings(deadline=None)
@given(reply=replies())
def test_every_reply_survives_the_journal(reply: Reply) -> None:
    assert msgspec.json.decode(msgspec.json.encode(reply), type=Reply) == reply


def test_a_number_that_is_none_does_not_pass_through_the_journal_unseen() -> None:
    """JSON has no NaN: it is written as null, and reading it back as a duration is refused rather than guessed."""
    with pytest.raises(msgspec.ValidationError, match="Expected `float`, got `null`"):
        msgspec.json.decode(msgspec.json.encode(Rest(float("nan"), "baseline")), type=Request)
