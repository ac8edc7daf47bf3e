"""Arm and Fire: two acts of a person before each train, on the shipped driver and the emulated instrument."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from msgspec import structs

from detectors.criterion import Criterion
from drivers.interface import DeliveredTrain, PulseTrain
from drivers.stimulator_state import State
from kindle.errors import UnsafeStimulus
from kindle.exchange import Stimulate
from kindle.experimenter import Unattended
from kindle.interrupted import Unrecorded
from kindle.prepared import prepare_threshold
from kindle.progress import Armed, Fired, Progress, Read, Ready, unheard
from kindle.protocols.catalogue import trains_of
from kindle.protocols.threshold import ThresholdFound
from kindle.releasing import ARMED_S, Pressed
from kindle.rig import Rig as Performer
from kindle.safety import Exposure
from kindle.session import Finished, run_session
from kindle.stopping import StoppedByExperimenter
from kindle.stream import Stream
from kindle.study import open_study
from tests.bench import Rig, bench, config, new_study, session_of


@dataclass
class Hands:
    """``arms_after`` and ``fires_after``: how many looks a person takes over each act, for each offer in turn."""

    arms_after: Callable[[int], int] = lambda offer: 0
    fires_after: Callable[[int], int] = lambda offer: 0
    armed: list[float] = field(default_factory=list)
    fired: list[float] = field(default_factory=list)

    def arm(self, train: PulseTrain) -> Pressed:
        self.armed.append(train.current_ua)
        return self._after(self.arms_after(len(self.armed)))

    def fire(self, delivered: DeliveredTrain) -> Pressed:
        self.fired.append(delivered.current_ua)
        return self._after(self.fires_after(len(self.fired)))

    def _after(self, n_looks: int) -> Pressed:
        looks = iter(range(n_looks))
        return lambda: next(looks, None) is None


NEVER = 10**9


@dataclass
class Leaves(Unattended):
    """Stops as soon as ``leave`` says so."""

    leave: Callable[[], bool] = lambda: False

    def wants_stop(self) -> bool:
        return self.leave()


@pytest.fixture
def rig() -> Iterator[Rig]:
    with bench(config(), threshold_ua=40.0) as made:
        yield made


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return new_study(tmp_path / "study")


def session(
    study: Path,
    rig: Rig,
    acts: Hands,
    person: Unattended | None = None,
    heard: Callable[[Progress], None] = unheard,
) -> Finished:
    with open_study(study) as opened:
        prepared = prepare_threshold(opened, "R01", config())
        return run_session(opened, prepared, rig.instruments, person or Unattended(), heard, acts=acts)


def test_every_train_is_armed_and_fired_once(study: Path, rig: Rig) -> None:
    hands = Hands()
    outcome = session(study, rig, hands).outcome
    assert isinstance(outcome, ThresholdFound)
    heard_ua = [heard.current_ua for heard in rig.rat.heard]
    assert len(heard_ua) > 2
    assert hands.armed == pytest.approx(heard_ua, rel=0.01)
    assert hands.fired == pytest.approx(heard_ua, rel=0.01)


def test_no_current_flows_before_both_acts(study: Path, rig: Rig) -> None:
    """A person who never arms, and one who arms and never fires: ten minutes, and no pulse."""
    for hands in (Hands(arms_after=lambda offer: NEVER), Hands(fires_after=lambda offer: NEVER)):
        seconds = [0.0]

        def heard(fact: Progress, seconds: list[float] = seconds) -> None:
            if isinstance(fact, Read):
                seconds[0] += fact.block.shape[1] / 2000.0

        with pytest.raises(StoppedByExperimenter):
            session(study, rig, hands, Leaves(lambda seconds=seconds: seconds[0] > 600), heard)  # type: ignore[misc]
        assert rig.rat.heard == []
        view = session_of(study)
        assert view.trains == []
        assert not view.perhaps_discharged


def test_an_armed_train_that_is_not_fired_is_disarmed_and_has_to_be_armed_again(study: Path, rig: Rig) -> None:
    states: list[State] = []

    def heard(fact: Progress) -> None:
        if isinstance(fact, Ready | Armed):
            states.append(rig.instruments.stimulator.state)  # type: ignore[attr-defined]

    waits: list[float] = []

    def remaining(fact: Progress) -> None:
        heard(fact)
        if isinstance(fact, Armed):
            waits.append(fact.remaining_s)

    hands = Hands(fires_after=lambda offer: NEVER if offer == 1 else 0, arms_after=lambda offer: 3)
    session(study, rig, hands, heard=remaining)
    assert waits[0] == pytest.approx(ARMED_S)
    assert min(waits) > 0
    first = states.index(State.ARMED)
    assert State.IDLE in states[first:]
    assert hands.armed[0] == hands.armed[1]
    assert len(rig.rat.heard) == len(hands.armed) - 1


def test_who_leaves_between_the_acts_leaves_no_train_in_doubt_and_the_session_goes_on(study: Path, rig: Rig) -> None:
    offered: list[bool] = []

    def heard(fact: Progress) -> None:
        if isinstance(fact, Armed):
            offered.append(True)

    with pytest.raises(StoppedByExperimenter, match="confirmed"):
        session(study, rig, Hands(fires_after=lambda offer: NEVER), Leaves(lambda: bool(offered)), heard)
    assert session_of(study).trains == []
    with bench(config(), threshold_ua=40.0) as again:
        outcome = session(study, again, Hands()).outcome
    assert isinstance(outcome, ThresholdFound)
    view = session_of(study)
    assert next(e.request.train.current_ua for e in view.exchanges if isinstance(e.request, Stimulate)) == 20.0


def test_interlocks_are_looked_at_before_a_train_can_be_armed(study: Path) -> None:
    """The limit of the session is reached: what is refused is never offered."""
    hands = Hands()
    with bench(config(), threshold_ua=500.0) as rig, open_study(study) as opened:
        prepared = prepare_threshold(opened, "R01", config())
        first = trains_of(prepared.plan)[0]
        tight = structs.replace(prepared.limits, max_charge_per_session_uc=first.charge_uc * 1.5)
        with pytest.raises(UnsafeStimulus, match="max_charge_per_session_uc"):
            run_session(opened, replace(prepared, limits=tight), rig.instruments, Unattended(), unheard, acts=hands)
        assert len(rig.rat.heard) == 1
    assert len(hands.armed) == 1


def test_a_train_that_nobody_released_is_refused(study: Path, rig: Rig) -> None:
    """A performer that asks for a train past the two acts gets none."""
    source = rig.instruments.source
    rig.instruments.stimulator.identify()
    source.start()
    stream = Stream(source, Unrecorded(), Criterion(), 1000, unheard)
    performer = Performer(
        stream,
        rig.instruments.stimulator,
        config().limits,
        Unattended(),
        watch_s=1.0,
        baseline_s=1.0,
        recording="r",
        listener=unheard,
        exposure=Exposure(),
        acts=Hands(),
    )
    train = PulseTrain(50.0, 1000.0, 0.0, 50.0, 1.0)
    with pytest.raises(UnsafeStimulus, match="nobody has armed and fired"):
        performer.perform(Stimulate(train))
    assert rig.rat.heard == []


def test_a_train_is_triggered_once_for_one_release(study: Path, rig: Rig) -> None:
    fired: list[Fired] = []

    def heard(fact: Progress) -> None:
        if isinstance(fact, Fired):
            fired.append(fact)

    session(study, rig, Hands(), heard=heard)
    view = session_of(study)
    assert len(fired) == len(rig.rat.heard) == len(view.trials) == len(view.trains)


def test_a_gap_while_a_train_is_armed_disarms_it(study: Path, rig: Rig) -> None:
    lost: list[int] = []

    def heard(fact: Progress) -> None:
        if isinstance(fact, Armed) and not lost:
            lost.append(1)
            rig.board.faults.overrun_now()

    hands = Hands(fires_after=lambda offer: 5 if offer == 1 else 0)
    assert isinstance(session(study, rig, hands, heard=heard).outcome, ThresholdFound)
    assert hands.armed[0] == hands.armed[1]
    assert len(rig.rat.heard) == len(hands.armed) - 1
