"""The engine: a session that dies anywhere goes on where it was, and no train is delivered twice."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs
from pure_animal import Animal, trial
from strategies import animals, plans, thresholds_ua

from detectors.criterion import Criterion, Verdict
from kindle.engine import Exchange, Perform, journalled, resuming, run
from kindle.errors import JournalMismatch
from kindle.exchange import Confirm, Reply, Request, Rest, Rested, Steps, Stimulate, VoidTrial, rest
from kindle.protocols.ladder import Add
from kindle.protocols.threshold import ThresholdOutcome, ThresholdPlan, TrainShape, ascending_threshold

PLAN = ThresholdPlan(
    preset="short@1",
    start_ua=20.0,
    step=Add(20.0),
    max_ua=100.0,
    interval_s=60.0,
    lockout_after_ad_s=3600.0,
    baseline_s=30.0,
    watch_s=45.0,
    train=TrainShape("biphasic", "cathodic_first", 1000.0, 0.0, 50.0, 1.0),
    criterion=Criterion(),
    if_undetermined="ask",
)


class Died(BaseException):
    """The program is gone; no handler of the program may catch it."""


@dataclass
class Ledger:
    """A journal in memory; the program dies when it would write row number ``last_row + 1``."""

    last_row: int | None = None
    rows: list[tuple[Literal["asked"], Request] | tuple[Literal["answered"], Reply]] = field(default_factory=list)

    def asked(self, request: Request) -> None:
        self._survive()
        self.rows.append(("asked", request))

    def answered(self, reply: Reply) -> None:
        self._survive()
        self.rows.append(("answered", reply))

    def _survive(self) -> None:
        if len(self.rows) == self.last_row:
            raise Died

    def history(self) -> list[Exchange]:
        exchanges: list[Exchange] = []
        for row in self.rows:
            match row:
                case ("asked", request):
                    exchanges.append(Exchange(request, None))
                case ("answered", reply):
                    exchanges[-1] = Exchange(exchanges[-1].request, reply)
        return exchanges

    @property
    def trains_asked(self) -> int:
        return sum(kind == "asked" and isinstance(value, Stimulate) for kind, value in self.rows)


def settling(animal: Animal, ledger: Ledger, train_lost: Callable[[Stimulate], Reply]) -> Perform:
    """Finds out what became of the request that the program died on; only what is no train is done again."""

    def settle(request: Request) -> Reply:
        reply = train_lost(request) if isinstance(request, Stimulate) else animal.perform(request)
        ledger.answered(reply)
        return reply

    return settle


def resumed(
    plan: ThresholdPlan, animal: Animal, ledger: Ledger, train_lost: Callable[[Stimulate], Reply]
) -> ThresholdOutcome:
    """A fresh program over the journal of the dead one; the animal has lived on."""
    perform = resuming(journalled(animal.perform, ledger), ledger.history(), settling(animal, ledger, train_lost))
    return run(ascending_threshold(plan), perform)


def undisturbed(plan: ThresholdPlan, animal: Animal) -> tuple[ThresholdOutcome, Ledger]:
    ledger = Ledger()
    return run(ascending_threshold(plan), journalled(animal.perform, ledger)), ledger


def died_after_row(plan: ThresholdPlan, animal: Animal, row: int) -> Ledger:
    ledger = Ledger(last_row=row)
    with pytest.raises(Died):
        run(ascending_threshold(plan), journalled(animal.perform, ledger))
    ledger.last_row = None
    return ledger


def no_train_was_lost(request: Stimulate) -> Reply:
    raise AssertionError(f"nothing was unanswered, yet {request!r} is to be settled")


def known_after_all(animal: Animal) -> Callable[[Stimulate], Reply]:
    """The train had been delivered, and its signal is in the recording: read it again."""

    def read_again(request: Stimulate) -> Reply:
        onset, train = animal.trains[-1]
        assert train == request.train
        verdict = Verdict.AFTERDISCHARGE if animal.discharges_at(train.current_ua) else Verdict.NONE
        return trial(train, verdict, onset, animal.now)

    return read_again


def cannot_tell(animal: Animal) -> Callable[[Stimulate], Reply]:
    return lambda request: trial(request.train, Verdict.UNDETERMINED, animal.now - 46_000, animal.now)


def not_delivered(animal: Animal) -> Callable[[Stimulate], Reply]:
    return lambda request: VoidTrial(request.train, "the program died before firing", False, None, "r", animal.now)


SETTLED = {"known after all": known_after_all, "cannot tell": cannot_tell, "taken for void": not_delivered}

PROPERTY = settings(deadline=None, max_examples=30)


class TestDyingAndResuming:
    @PROPERTY
    @given(plan=plans(), animal=animals())
    def test_after_any_reply_the_session_goes_on_as_if_nothing_had_happened(
        self, plan: ThresholdPlan, animal: Animal
    ) -> None:
        outcome, whole = undisturbed(plan, deepcopy(animal))
        for row in range(0, len(whole.rows), 2):
            survivor = deepcopy(animal)
            ledger = died_after_row(plan, survivor, row)
            assert resumed(plan, survivor, ledger, no_train_was_lost) == outcome
            assert ledger.rows == whole.rows
            assert len(survivor.trains) == whole.trains_asked

    @pytest.mark.parametrize("settled", SETTLED)
    @PROPERTY
    @given(plan=plans(), threshold_ua=thresholds_ua())
    def test_after_any_request_no_train_is_delivered_twice(
        self, settled: str, plan: ThresholdPlan, threshold_ua: float
    ) -> None:
        """The request had been performed when the program died; its reply was lost."""
        plan = structs.replace(plan, if_undetermined="ask")
        outcome, whole = undisturbed(plan, Animal(threshold_ua))
        for row in range(1, len(whole.rows), 2):
            survivor = Animal(threshold_ua)
            ledger = died_after_row(plan, survivor, row)
            delivered = len(survivor.trains)
            assert ledger.trains_asked == delivered
            assert resumed(plan, survivor, ledger, SETTLED[settled](survivor)) == outcome
            assert len(survivor.trains) == ledger.trains_asked, "each request of the journal is one train"
            repeats = 1 if settled == "taken for void" and isinstance(ledger.rows[row - 1][1], Stimulate) else 0
            assert len(survivor.trains) == whole.trains_asked + repeats, "a repetition is the protocol's, on the record"

    @PROPERTY
    @given(plan=plans(), threshold_ua=thresholds_ua())
    def test_a_train_that_was_never_fired_is_asked_for_again(self, plan: ThresholdPlan, threshold_ua: float) -> None:
        """The program died between writing the request and the trigger."""
        outcome, whole = undisturbed(plan, Animal(threshold_ua))
        for n in range(len(whole.rows) // 2):
            survivor, ledger = Animal(threshold_ua), Ledger()
            with pytest.raises(Died):
                run(ascending_threshold(plan), journalled(dying(survivor.perform, after=n), ledger))
            lost = isinstance(ledger.rows[-1][1], Stimulate)
            assert resumed(plan, survivor, ledger, not_delivered(survivor)) == outcome
            assert len(survivor.trains) == whole.trains_asked
            assert ledger.trains_asked == whole.trains_asked + lost

    @PROPERTY
    @given(threshold_ua=st.floats(10.0, 120.0), rows=st.lists(st.integers(0, 12), min_size=2, max_size=4))
    def test_a_session_may_die_again_and_again(self, threshold_ua: float, rows: list[int]) -> None:
        """A settled reply is on the record, so that the next program does not ask for it once more."""
        outcome, whole = undisturbed(PLAN, Animal(threshold_ua))
        survivor, ledger = Animal(threshold_ua), Ledger()
        for row in sorted(rows):
            if row >= len(whole.rows):
                break
            ledger.last_row = max(row, len(ledger.rows))
            with pytest.raises(Died):
                resumed(PLAN, survivor, ledger, known_after_all(survivor))
        ledger.last_row = None
        assert resumed(PLAN, survivor, ledger, known_after_all(survivor)) == outcome
        assert len(survivor.trains) == whole.trains_asked
        assert ledger.rows[0] == whole.rows[0]
        assert all(exchange.reply is not None for exchange in ledger.history())

    def test_a_finished_session_is_read_back_without_touching_the_animal(self) -> None:
        outcome, whole = undisturbed(PLAN, Animal(70.0))

        def nothing_left(request: Request) -> Reply:
            raise AssertionError(f"the journal has the answer to {request!r}")

        assert run(ascending_threshold(PLAN), resuming(nothing_left, whole.history(), nothing_left)) == outcome


class TestAHistoryThatDoesNotFit:
    @PROPERTY
    @given(data=st.data())
    def test_another_request_than_the_journal_has_is_refused(self, data: st.DataObject) -> None:
        _, whole = undisturbed(PLAN, Animal(70.0))
        history = whole.history()
        n = data.draw(st.integers(0, len(history) - 1))
        history[n] = Exchange(altered(history[n].request), history[n].reply)
        survivor = Animal(70.0)
        with pytest.raises(JournalMismatch, match="resume with the program version and the settings that began"):
            run(ascending_threshold(PLAN), resuming(survivor.perform, history, survivor.perform))
        assert survivor.trains == [], "nothing is delivered on a journal that does not fit"

    @pytest.mark.parametrize(
        "settings_now",
        [
            {"interval_s": 61.0},
            {"start_ua": 30.0},
            {"step": Add(25.0)},
            {"baseline_s": 31.0},
            {"train": structs.replace(PLAN.train, phase_us=500.0)},
        ],
    )
    def test_settings_changed_since_then_are_noticed(self, settings_now: dict[str, object]) -> None:
        _, whole = undisturbed(PLAN, Animal(70.0))
        survivor = Animal(70.0)
        with pytest.raises(JournalMismatch):
            run(
                ascending_threshold(structs.replace(PLAN, **settings_now)),
                resuming(survivor.perform, whole.history(), survivor.perform),
            )
        assert survivor.trains == []

    def test_the_message_names_both_requests(self) -> None:
        history = [Exchange(Rest(30.0, "baseline"), Rested(1))]
        with pytest.raises(JournalMismatch, match=r"now asks Rest\(duration_s=10.0.*journal has Rest\(duration_s=30.0"):
            run(rest(10.0, "baseline"), resuming(Animal(70.0).perform, history, Animal(70.0).perform))


class TestRunning:
    def test_a_request_is_in_the_journal_before_it_is_performed(self) -> None:
        ledger = Ledger()

        def perform(request: Request) -> Reply:
            assert ledger.rows == [("asked", request)]
            return Rested(1)

        run(rest(10.0, "baseline"), journalled(perform, ledger))
        assert ledger.rows == [("asked", Rest(10.0, "baseline")), ("answered", Rested(1))]

    def test_a_protocol_is_closed_when_its_performer_fails(self) -> None:
        closed: list[bool] = []

        def protocol() -> Steps[None]:
            try:
                yield from rest(10.0, "baseline")
            finally:
                closed.append(True)

        def perform(request: Request) -> Reply:
            raise Died

        with pytest.raises(Died):
            run(protocol(), perform)
        assert closed == [True]

    def test_a_protocol_that_asks_nothing_returns_at_once(self) -> None:
        def protocol() -> Steps[str]:
            return "done"
            yield Confirm("never", ("no",))

        assert run(protocol(), Animal(70.0).perform) == "done"


def dying(perform: Perform, after: int) -> Perform:
    """Performs ``after`` requests and dies on the next."""
    n = 0

    def performed(request: Request) -> Reply:
        nonlocal n
        n += 1
        if n > after:
            raise Died
        return perform(request)

    return performed


def altered(request: Request) -> Request:
    match request:
        case Stimulate(train):
            return Stimulate(structs.replace(train, current_ua=train.current_ua + 1.0))
        case Rest(duration_s, why):
            return Rest(duration_s + 1.0, why)
        case _:
            raise AssertionError(f"not part of a clear threshold test: {request!r}")


def test_a_performer_that_fails_with_stop_iteration_does_not_end_the_protocol() -> None:
    def asks() -> Steps[str]:
        yield from rest(1.0, "wait")
        return "over"

    def fails(request: Request) -> Reply:
        raise StopIteration

    with pytest.raises(StopIteration):
        run(asks(), fails)
