"""What a person has to see, made from facts alone: ladder, next current, interlocks, pacing, the desk, dose cards."""

from datetime import UTC, datetime, timedelta
from math import inf
from pathlib import Path

import numpy as np
import pytest
from msgspec import structs
from pure_animal import trial
from test_kindling_sessions import DAILY, OBSERVATION, TEST

from detectors.criterion import Verdict
from drivers.interface import Abort, DeliveredTrain, PulseTrain
from kindle.desk import Act, Desk, NotAsked
from kindle.dose_cards import dose_cards
from kindle.errors import KindleError
from kindle.ethogram import load_ethogram
from kindle.exchange import CodedDose, VoidTrial
from kindle.experimenter import StageMark, TakeBack
from kindle.interlock_list import forbidding, interlocks
from kindle.keeping import note_event, weigh
from kindle.marking_keys import MarkingKeys
from kindle.ordering import Order
from kindle.pacing import Pace
from kindle.progress import (
    Alarmed,
    Armed,
    Back,
    Exposed,
    Fired,
    Lost,
    Marked,
    Observing,
    Progress,
    Read,
    Ready,
    Resting,
    Watching,
)
from kindle.protocols.injecting import Injection
from kindle.protocols.search import UpDown
from kindle.protocols.threshold import ThresholdPlan
from kindle.rig_config import load_rig
from kindle.roster import read_roster
from kindle.rungs import ladder, next_current
from kindle.safety import Exposure, UnsafeStimulus, check_interlocks
from kindle.situation import Phase, Situation, after
from kindle.start_card import animal_read, card_lines, next_text, outlook, start_card
from kindle.study import open_study
from tests.bench import config, new_study
from tests.reported_sessions import PLAN

TRAIN = PulseTrain(100.0, 1000.0, 0.0, 50.0, 1.0)
LIMITS = config().limits
RATE_HZ = 1000.0


def situation(plan: object = DAILY, *facts: Progress) -> Situation:
    now = Situation("R01", plan, LIMITS, RATE_HZ, "racine_1972")  # type: ignore[arg-type]
    for fact in facts:
        now = after(now, fact)
    return now


def read(until: int) -> Read:
    return Read(until - 1, np.zeros((3, 1), np.int16))


def test_the_latency_clock_starts_at_the_end_of_the_train_and_marks_belong_to_it() -> None:
    fired = Fired(TRAIN, DeliveredTrain.as_asked(TRAIN))
    now = situation(
        DAILY,
        read(5000),
        Marked(5000, StageMark(2.0)),
        fired,
        read(7000),
        Watching(1.0, None),
        Marked(6500, StageMark(1.0)),
    )
    assert now.zero_sample == 6000
    assert now.since_zero_s == 1.0
    assert [stamp.sample for stamp in now.scoring.transitions] == [6500]
    assert after(now, Marked(6600, TakeBack())).scoring.highest is None


def test_a_discharge_runs_while_it_goes_on_and_forbids_a_train() -> None:
    fired = Fired(TRAIN, DeliveredTrain.as_asked(TRAIN))
    now = situation(DAILY, fired, read(9000), Watching(4.0, 2.5))
    assert now.discharge_s == 2.5
    assert [one.name for one in forbidding(now.interlocks)] == ["No afterdischarge going on"]
    over = after(after(now, read(9500)), Watching(4.5, None))
    assert over.discharge_s is None
    assert over.discharge is not None
    assert (over.discharge.onset, over.discharge.end) == (6500, 9500)


def test_a_lost_signal_takes_back_what_was_offered_and_says_why() -> None:
    now = situation(DAILY, Ready(TRAIN, 0.0))
    assert now.phase is Phase.READY
    lost = after(now, Lost(100, "the cable", Abort.CONFIRMED))
    assert lost.offered is None
    assert "the cable" in lost.trouble
    assert "confirmed" in lost.trouble
    assert next(forbidding(lost.interlocks)).name == "Signal of the amplifier"
    assert after(lost, Back(200, 2000, "board")).trouble == ""


def test_an_alarm_stands_until_a_train_is_allowed_again() -> None:
    now = situation(DAILY, Alarmed(100, "the discharge has lasted 310 s", "Give diazepam."))
    assert now.alarm == "STATUS EPILEPTICUS: the discharge has lasted 310 s. Give diazepam."
    assert after(now, Resting(10.0, "interval")).alarm == now.alarm
    assert after(now, Ready(TRAIN, 0.0)).alarm == ""


def test_an_armed_train_is_no_longer_offered_after_a_rest() -> None:
    armed = situation(DAILY, Armed(TRAIN, DeliveredTrain.as_asked(TRAIN), 20.0))
    assert armed.phase is Phase.ARMED
    assert armed.delivered is not None
    rested = after(armed, Resting(5.0, "baseline"))
    assert (rested.offered, rested.delivered, rested.phase) == (None, None, Phase.RESTING)


def test_the_observation_counts_from_its_beginning() -> None:
    now = situation(
        OBSERVATION, read(4000), Observing(1800.0), read(5000), Marked(5000, StageMark(3.0)), Observing(1799.0)
    )
    assert now.zero_sample == 4000
    assert now.since_zero_s == 1.0
    assert now.scoring.highest == 3.0


@pytest.mark.parametrize(
    ("exposure", "name"),
    [
        (Exposure(n_trains=LIMITS.max_trains_per_session), "Trains of the session"),
        (Exposure(charge_uc=LIMITS.max_charge_per_session_uc), "Charge of session and day"),
        (Exposure(earlier_charge_uc=LIMITS.max_charge_per_day_uc), "Charge of session and day"),
        (Exposure(last_onset_s=99.0), "Interval between trains"),
        (Exposure(in_discharge=True), "No afterdischarge going on"),
        (Exposure(last_afterdischarge_end_s=99.0), "Lock-out after a discharge"),
    ],
)
def test_every_interlock_is_listed_as_the_rig_goes_by_it(exposure: Exposure, name: str) -> None:
    with pytest.raises(UnsafeStimulus) as refused:
        check_interlocks(TRAIN, exposure, 100.0, LIMITS)
    (one,) = forbidding(interlocks(TRAIN, exposure, 100.0, LIMITS))
    assert (one.name, one.reason) == (name, str(refused.value))


def test_a_train_beyond_the_limits_is_listed_and_hides_nothing_else() -> None:
    strong = structs.replace(TRAIN, current_ua=LIMITS.max_current_ua * 1.1)
    listed = interlocks(strong, Exposure(in_discharge=True), 100.0, LIMITS)
    assert [one.name for one in forbidding(listed)] == ["Train within limits", "No afterdischarge going on"]
    assert all(one.permits for one in interlocks(TRAIN, Exposure(), 100.0, LIMITS))


def none_at(current_ua: float) -> VoidTrial:
    return VoidTrial(PLAN.train.at(current_ua), "r", False, None, "rec", 0)


def test_the_ladder_holds_each_trial_at_its_current_and_a_void_one_is_repeated() -> None:
    assert isinstance(PLAN, ThresholdPlan)
    first, second = PLAN.rungs_ua[:2]
    given = trial(PLAN.train.at(first), Verdict.NONE, 1000, 9000)
    void = none_at(second)
    rungs = ladder(PLAN, [given, void])
    assert [len(rung.results) for rung in rungs[:3]] == [1, 1, 0]
    following = next_current(PLAN, [given, void])
    assert following is not None
    assert following.current_ua == second
    assert following.why.endswith("last: void")


def test_only_a_rising_series_is_foretold() -> None:
    assert isinstance(PLAN, ThresholdPlan)
    staircase = structs.replace(PLAN, search=UpDown(first_ua=PLAN.rungs_ua[2]))
    given = trial(PLAN.train.at(PLAN.rungs_ua[0]), Verdict.NONE, 1000, 9000)
    assert next_current(staircase, [given]) is None
    offered = PLAN.train.at(PLAN.rungs_ua[1])
    following = next_current(staircase, [given], offered)
    assert following is not None
    assert following.current_ua == offered.current_ua
    discharge = trial(PLAN.train.at(PLAN.rungs_ua[0]), Verdict.AFTERDISCHARGE, 1000, 30_000)
    assert next_current(PLAN, [discharge]) is None


def test_exposure_is_what_the_rig_last_told() -> None:
    now = situation(DAILY, Exposed(Exposure(n_trains=2), 12.0))
    assert now.exposure.n_trains == 2


def test_a_pace_waits_for_real_time_and_makes_up_for_nothing() -> None:
    clock_s, waited_s = [0.0], list[float]()

    def wait(seconds: float) -> None:
        waited_s.append(seconds)
        clock_s[0] += seconds

    pace = Pace(2.0, now_s=lambda: clock_s[0], wait=wait)
    pace.keep(1.0)
    pace.keep(1.0)
    assert waited_s == [0.5, 0.5]
    clock_s[0] += 10.0
    pace.keep(1.0)
    pace.keep(1.0)
    assert waited_s == [0.5, 0.5, 0.5]
    pace.set_speed(inf)
    pace.keep(1000.0)
    assert len(waited_s) == 3
    with pytest.raises(ValueError, match="positive speed"):
        pace.set_speed(0.0)


def test_an_act_counts_once_and_only_for_what_is_offered() -> None:
    desk = Desk()
    with pytest.raises(NotAsked):
        desk.press(Act.ARM)
    armed = desk.arm(TRAIN)
    assert not armed()
    with pytest.raises(NotAsked):
        desk.press(Act.FIRE)
    desk.press(Act.ARM)
    assert armed()
    with pytest.raises(NotAsked):
        desk.press(Act.ARM)
    fired = desk.fire(DeliveredTrain.as_asked(TRAIN))
    assert not fired()
    later = desk.arm(TRAIN)
    with pytest.raises(NotAsked):
        desk.press(Act.FIRE)
    assert not fired()
    assert not later()


def test_a_stop_takes_back_every_offer_and_question() -> None:
    desk = Desk()
    armed = desk.arm(TRAIN)
    answer = desk.ask("Go on?", ("no", "yes"))
    desk.stop()
    assert desk.wants_stop()
    assert desk.question is None
    with pytest.raises(NotAsked):
        desk.press(Act.ARM)
    with pytest.raises(NotAsked):
        desk.say("yes")
    assert not armed()
    assert answer() is None


@pytest.mark.parametrize(("wrong", "right", "choices"), [("maybe", "yes", ("no", "yes")), ("12,5", "12.5", ())])
def test_only_what_a_question_takes_answers_it(wrong: str, right: str, choices: tuple[str, ...]) -> None:
    desk = Desk()
    answer = desk.ask("?", choices)
    with pytest.raises(KindleError):
        desk.say(wrong)
    assert answer() is None
    desk.say(right)
    assert answer() == right
    assert desk.question is None


def test_an_alarm_takes_a_name_and_nothing_else() -> None:
    desk = Desk()
    answer = desk.ask_name("Who?")
    with pytest.raises(KindleError, match="named"):
        desk.say("  ")
    desk.say("A. Person")
    assert answer() == "A. Person"


def test_the_end_of_a_clonus_has_a_key_of_its_own() -> None:
    keys = MarkingKeys(load_ethogram("kindling"))
    assert keys.read("E") is None
    begun, ended = keys.read("B"), keys.read("E")
    assert [str(mark) for mark in (begun, ended)] == [
        "ItemMark(item='generalised_clonus', edge='begins')",
        "ItemMark(item='generalised_clonus', edge='ends')",
    ]
    assert keys.read("E") is None


def test_dose_cards_say_what_is_drawn_and_what_is_hidden() -> None:
    (card,) = dose_cards(TEST)
    assert (card.name, card.ordered, card.wait_min) == ("sodium valproate", "200 mg/kg (mg_salt) i.p.", 2.0)
    coded = structs.replace(TEST, injections=(Injection(CodedDose("K7", 2.0, "i.p.", 900.0)),))
    (hidden,) = dose_cards(coded)
    assert (hidden.name, hidden.really_given) == ("code K7", "blinded")
    assert [card.name for card in dose_cards(OBSERVATION)] == ["pentylenetetrazol"]
    assert dose_cards(DAILY) == ()


NOW = datetime(2026, 3, 9, 9, 0, tzinfo=UTC)


def test_the_card_says_weight_and_change_and_what_is_due(tmp_path: Path) -> None:
    folder = new_study(tmp_path / "study")
    with open_study(folder) as study:
        note_event(study, "R01", "implanted", "", NOW - timedelta(days=10))
        weigh(study, "R01", 250.0, NOW - timedelta(days=1))
        weigh(study, "R01", 246.0, NOW)
        card = start_card(study, "R01", NOW)
        assert card.suggested == Order("threshold", "R01")
        assert dict(card_lines(card))["weight"].startswith("246 g (-4 g since the last), 2% below its highest")
        assert next_text(card.standing.next) == "DUE: threshold. No threshold has been measured"
        rig = load_rig("simulated")
        assert outlook(study, Order("threshold", "R01"), rig, NOW).worst_case[0].startswith("R01: threshold")
        refused = outlook(study, Order("ptz", "R01"), rig, NOW)
        assert "[ptz]" in refused.refusal
        weigh(study, "R01", 150.0, NOW)
        assert "consult the veterinarian" in outlook(study, Order("threshold", "R01"), rig, NOW).refusal
    roster = read_roster(folder, NOW)
    assert (roster.name, [card.animal for card in roster.cards]) == ("test", ["R01"])


def test_a_mark_is_read_exactly_or_not_at_all() -> None:
    animals = ("R01", "R011")
    assert animal_read(" r01\n", iter(animals)) == "R01"
    assert animal_read("R0", iter(animals)) is None


def test_taking_back_and_a_new_train_end_what_a_key_began() -> None:
    keys = MarkingKeys(load_ethogram("kindling"))
    keys.read("F2")
    keys.read("U")
    assert keys.going_on == frozenset()
    assert str(keys.read("F2")) == "ItemMark(item='forelimb_clonus', edge='begins')"
    assert keys.going_on == {"forelimb_clonus"}
    assert str(keys.meaning("F2")) == "ItemMark(item='forelimb_clonus', edge='ends')"
    keys.begin()
    assert str(keys.read("F2")) == "ItemMark(item='forelimb_clonus', edge='begins')"
