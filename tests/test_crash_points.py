"""A process that ends at any point of a session: resumed, it repeats no train, loses no row and comes to the same.

Every row of the journal and every phase of every request is such a point, for each protocol.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs

from detectors.criterion import Criterion
from drivers.interface import Stimulator
from kindle.errors import KindleError
from kindle.exchange import Dose, Injected, Observe, Request, Trial
from kindle.journal import Row
from kindle.prepared import Prepared
from kindle.protocols.catalogue import Outcome, Plan
from kindle.protocols.drug_test import DrugTested, DrugTestPlan
from kindle.protocols.injecting import Injection
from kindle.protocols.kindling import KindlingDone, KindlingPlan
from kindle.protocols.ladder import Ratio
from kindle.protocols.ptz import NotObserved, PtzObserved, PtzPlan
from kindle.protocols.search import Bracket, UpDown
from kindle.protocols.threshold import Continuation, ThresholdPlan, TrainShape
from kindle.session import end_unfinished, run_session
from kindle.study import Study, open_study
from kindle.verification import verify_study
from tests.bench import bench, config, hurried, new_study
from tests.crash_points import Life, PlaysOn, Witness
from tests.moments import Died

THRESHOLD_UA = 27.0
CRITERION = Criterion(onset_window_s=3.0, baseline_s=5.0, secondary_window_s=3.0)
TRAIN = TrainShape("biphasic", "cathodic_first", 1000.0, 0.0, 50.0, 1.0)
RISING = ThresholdPlan("mine@1", 20.0, Ratio(1.2), 45.0, 12.0, 12.0, 5.0, 6.0, TRAIN, CRITERION, "ask")
DAILY = KindlingPlan("mine@1", 60.0, TRAIN, 2, 12.0, 12.0, 5.0, 6.0, CRITERION, "racine_1972@1")
VALPROATE = Injection(Dose("sodium valproate", "mg_salt", 200.0, "i.p.", 20.0))
PLANS: dict[str, Plan] = {
    "rising": RISING,
    "up and down": structs.replace(RISING, search=UpDown(28.8, reversals=2)),
    "bracket": structs.replace(RISING, search=Bracket(1.2)),
    "to the generalised seizure": structs.replace(RISING, continuation=Continuation("racine_1972@1", 4.0)),
    "kindling": DAILY,
    "drug test": DrugTestPlan("mine@1", (VALPROATE,), 60.0, structs.replace(DAILY, trains=1), "valproate 200"),
}
OBSERVED = PtzPlan(
    "mine@1",
    (VALPROATE,),
    Injection(Dose("pentylenetetrazol", "mg_salt", 60.0, "s.c.", 0.0)),
    60.0,
    30.0,
    "guide_2025@1",
    4.0,
    5.0,
)


@dataclass(frozen=True)
class Session:
    """What became of it, and what the animal had."""

    outcome: Outcome | None
    currents_ua: list[float]
    life: Life
    witness: Witness


def lived(
    folder: Path, plan: Plan, life: Life, monkeypatch: pytest.MonkeyPatch, before: Session | None = None
) -> Session:
    """One process with the animal, from its start or from where an earlier one left it."""
    rig_config = config(lockout_after_afterdischarge_s=10.0)
    rig_config = structs.replace(rig_config, daq=structs.replace(rig_config.daq, rate_hz=1000.0, block_s=1.0))
    prepared = Prepared("R01", plan, (), rig_config.limits, "simulated", simulated=True)
    with bench(rig_config, THRESHOLD_UA) as rig, open_study(folder) as study:
        rig.rat.discharge_s = (4.0, 5.0)
        earlier_ua = [] if before is None else before.currents_ua
        heard = lambda: earlier_ua + [round(train.effective_ua, 1) for train in rig.rat.heard]  # noqa: E731
        witness = Witness(life, lambda: heard()[-1] >= THRESHOLD_UA)
        if before is not None:
            witness.n_injected = before.witness.n_injected
            witness.in_doubt = witness.n_injected > n_replies(study, Injected)
        plays_on: Stimulator = PlaysOn(rig.instruments.stimulator, life)
        outcome: Outcome | None = None
        try:
            with life.writing(monkeypatch):
                outcome = run_session(
                    study,
                    prepared,
                    replace(rig.instruments, stimulator=plays_on),
                    witness,
                    life,
                    last_train="delivered" if len(earlier_ua) > n_replies(study, Trial) else "void",
                    patience=hurried(),
                ).outcome
        except Died:
            # The world goes on without the program.
            rig.instruments.source.read(2000)
        return Session(outcome, heard(), life, witness)


def open_points(whole: Session) -> list[str]:
    """Those at which the session was not over yet."""
    return whole.life.points[: whole.life.points.index("SessionEnded written")]


def first_and_last(whole: Session) -> list[tuple[int, str]]:
    """Where each kind of point is come by first, and last; the reliability campaign takes them all."""
    numbered = list(enumerate(open_points(whole)))
    ends = {point: n for n, point in numbered}
    begins = {point: n for n, point in reversed(numbered)}
    return sorted({(n, point) for found in (begins, ends) for point, n in found.items()})


def asked_last(folder: Path) -> Request:
    with open_study(folder) as study:
        return study.sessions()[-1].exchanges[-1].request


def n_replies(study: Study, kind: type) -> int:
    return sum(isinstance(exchange.reply, kind) for view in study.sessions() for exchange in view.exchanges)


def rows(folder: Path) -> list[Row]:
    with open_study(folder) as study:
        return study.journal.rows()


def same(one: Outcome | None, other: Outcome | None) -> bool:
    """What was decided; how long a discharge was that only the witness saw, nobody measured."""
    if isinstance(one, DrugTested) and isinstance(other, DrugTested):
        return same(one.test, other.test)
    if isinstance(one, KindlingDone) and isinstance(other, KindlingDone):
        return [(g.current_ua, g.stage) for g in one.stimulations] == [
            (g.current_ua, g.stage) for g in other.stimulations
        ]
    return one == other


@pytest.mark.parametrize("name", list(PLANS))
def test_a_session_resumed_after_an_end_at_any_point_gives_each_train_once_and_comes_to_the_same(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = lived(new_study(tmp_path / "whole"), PLANS[name], Life(), monkeypatch)
    assert whole.outcome is not None
    tried = first_and_last(whole)
    assert {point for _, point in tried} == set(open_points(whole))
    for n, point in tried:
        resumes_as_if_nothing_had_been(tmp_path / f"{n}", PLANS[name], n, point, whole, monkeypatch)


def resumes_as_if_nothing_had_been(
    folder: Path, plan: Plan, n: int, point: str, whole: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process ends at its point number ``n``; the next one goes on with what it left."""
    cut = lived(new_study(folder), plan, Life(ends_at=n), monkeypatch)
    assert cut.life.dead, point
    written = rows(folder)
    resumed = lived(folder, plan, Life(), monkeypatch, before=cut)
    assert same(resumed.outcome, whole.outcome), point
    assert resumed.currents_ua == whole.currents_ua, point
    assert resumed.witness.n_injected == whole.witness.n_injected, point
    assert rows(folder)[: len(written)] == written, point
    assert verify_study(folder) == [], point


def test_an_observation_is_either_whole_or_none_and_nothing_is_injected_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = lived(new_study(tmp_path / "whole"), OBSERVED, Life(), monkeypatch)
    assert isinstance(whole.outcome, PtzObserved)
    assert (whole.witness.n_injected, whole.currents_ua) == (2, [])
    came_to = []
    for n, point in first_and_last(whole):
        folder = new_study(tmp_path / f"{n}")
        cut = lived(folder, OBSERVED, Life(ends_at=n), monkeypatch)
        if ("Asked written" in point and isinstance(asked_last(folder), Observe)) or point.startswith("observing"):
            with pytest.raises(KindleError, match="the observation was interrupted"):
                lived(folder, OBSERVED, Life(), monkeypatch, before=cut)
            with open_study(folder) as study:
                outcome = end_unfinished(study, "R01", "power cut").outcome
        else:
            resumed = lived(folder, OBSERVED, Life(), monkeypatch, before=cut)
            outcome = resumed.outcome
            assert resumed.witness.n_injected == 2, point
        assert verify_study(folder) == [], point
        if isinstance(outcome, NotObserved):
            assert outcome.injected == ("sodium valproate", "pentylenetetrazol"), point
        else:
            # How long the first drug had had is not known after an interruption; everything else is.
            assert isinstance(outcome, PtzObserved), point
            assert structs.replace(outcome, pretreated=whole.outcome.pretreated) == whole.outcome, point
        came_to.append(type(outcome))
    assert set(came_to) == {PtzObserved, NotObserved}


@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ends=st.lists(st.integers(0, 60), min_size=2, max_size=3), name=st.sampled_from(["rising", "drug test"]))
def test_a_session_that_dies_again_while_it_is_resumed_comes_to_the_same(
    ends: list[int], name: str, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = new_study(tmp_path_factory.mktemp("again") / "study")
    last: Session | None = None
    for n in ends:
        last = lived(folder, PLANS[name], Life(ends_at=n), monkeypatch, before=last)
        if "SessionEnded written" in last.life.points:
            break
    else:
        last = lived(folder, PLANS[name], Life(), monkeypatch, before=last)
    whole = lived(new_study(folder.with_name("whole")), PLANS[name], Life(), monkeypatch)
    assert last is not None
    with open_study(folder) as study:
        (view,) = study.sessions()
    assert same(view.outcome, whole.outcome)
    assert last.currents_ua == whole.currents_ua
    assert last.witness.n_injected == whole.witness.n_injected
