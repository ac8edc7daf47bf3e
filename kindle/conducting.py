"""A session in a thread of its own, conducted by plain calls from whoever shows it; no screen is needed."""

import logging
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

from drivers.interface import Abort, Block, Channel
from kindle.assembly import Instruments, assembled
from kindle.bridging import PATIENT, Patience
from kindle.desk import Act, Desk, NotAsked, Question
from kindle.experimenter import ItemMark, Mark
from kindle.ordering import Order, prepare
from kindle.pacing import Pace, PacedSource
from kindle.prepared import Prepared
from kindle.progress import Progress, Read
from kindle.protocols.catalogue import describe_outcome, name_of
from kindle.rig_config import RigConfig
from kindle.session import Finished, LastTrain, run_session, utc_now
from kindle.session_record import Clock
from kindle.situation import Situation, after, scale_of, scored
from kindle.stopping import StoppedByExperimenter
from kindle.study import Study, open_study, strictest
from kindle.telling import told
from kindle.voiding import Voiding

LOG = logging.getLogger(__name__)

Assemble = Callable[[RigConfig, str], AbstractContextManager[Instruments]]
ShowBlock = Callable[[int, Block], None]
"""First sample and counts; called in the thread of the session, and must not wait."""


class StopSaid(Enum):
    NOT_PRESSED = ""
    STOPPING = "stopping: the stimulator has not answered yet; if in doubt, switch its output off by hand"
    CONFIRMED = "STOPPED: the stimulator has confirmed that no current flows"
    UNCONFIRMED = "NOT CONFIRMED: switch the stimulator's output off by hand before anything else is done"
    NOT_CONNECTED = "STOPPED: no stimulator was connected, no current can flow from this program"


@dataclass(frozen=True, slots=True)
class Ended:
    """``session`` is empty unless it ``finished``; what was refused or stopped may go on later."""

    session: str
    said: str
    finished: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """Everything that is to be seen of a session at one moment."""

    situation: Situation | None = None
    """``None`` until the plan is known."""
    channels: tuple[Channel, ...] = ()
    question: Question | None = None
    stop: StopSaid = StopSaid.NOT_PRESSED
    ended: Ended | None = None

    @property
    def over(self) -> bool:
        return self.ended is not None


class Conductor:
    """One session, from ``begin`` to ``Shown.ended``; every method from any thread, none of them waits."""

    def __init__(
        self,
        folder: Path,
        order: Order,
        rig: RigConfig,
        *,
        show_block: ShowBlock = lambda first_sample, block: None,
        pace: Pace | None = None,
        last_train: LastTrain = "ask",
        assemble: Assemble = assembled,
        patience: Patience = PATIENT,
        now: Clock | None = None,
    ) -> None:
        self.order = order
        self.rig = rig
        self.folder = folder
        self._show_block = show_block
        self._pace = pace or Pace()
        self._last_train = last_train
        self._assemble = assemble
        self._patience = patience
        self._now = now
        self._desk = Desk()
        self._lock = threading.Lock()
        self._shown = Shown()
        self._abort: Callable[[], Abort] | None = None
        self._thread = threading.Thread(target=self._run, name=f"session of {order.animal}", daemon=True)

    def begin(self) -> None:
        self._thread.start()

    @property
    def shown(self) -> Shown:
        with self._lock:
            return replace(self._shown, question=self._desk.question)

    def arm(self) -> None:
        """Raises ``NotAsked`` while no train waits to be armed."""
        self._desk.press(Act.ARM)

    def fire(self) -> None:
        """Raises ``NotAsked`` unless the train is armed."""
        self._desk.press(Act.FIRE)

    def stop(self) -> None:
        """Current off first; then the session ends, to be resumed or not. As often as wanted, in any state."""
        self._desk.stop()
        with self._lock:
            abort = self._abort
            if abort is not None:
                self._shown = replace(self._shown, stop=StopSaid.STOPPING)
            elif self._shown.stop is StopSaid.NOT_PRESSED:
                self._shown = replace(self._shown, stop=StopSaid.NOT_CONNECTED)
        if abort is not None:
            threading.Thread(target=self._stop_output, args=(abort,), name="stop", daemon=True).start()

    def mark(self, mark: Mark) -> None:
        """Stamped with the sample at which the rig hears it. Raises ``NotAsked`` when nothing is being recorded."""
        if self.shown.over:
            raise NotAsked("the session is over: enter a stage now with kindle score")
        self._desk.put(mark)

    def void(self, called: Voiding) -> None:
        """Call the last train void: the protocol goes on as after any void train, and the correction is written down.

        Raises ``NotAsked`` when nothing can be called void now, ``ConfigError`` without a name and a reason.
        """
        if self.shown.over:
            raise NotAsked("the session is over: call a trial void with kindle amend SESSION:NUMBER verdict void")
        self._desk.void(called)
        self._desk.put(ItemMark(f"note: {called.author} calls the last train void: {called.reason}"))

    def answer(self, said: str) -> None:
        """Raises ``KindleError`` for what the question does not take."""
        question = self._desk.question
        self._desk.say(said)
        if question is not None and question.for_stage:
            self._change(scored)

    def wait_over(self, timeout_s: float) -> bool:
        """Whether the session has ended within ``timeout_s``, its files closed."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        ended = Ended("", "stopped before anything was connected", False)
        try:
            with open_study(self.folder) as study:
                finished = self._conduct(study)
            ended = Ended(finished.session, describe_outcome(finished.outcome), True)
        except BaseException as error:
            if isinstance(error, StoppedByExperimenter):
                self._heard_of_stop(error.abort)
            ended = Ended("", self._sentence(error), False)
        finally:
            with self._lock:
                self._abort = None
                self._shown = replace(self._shown, ended=ended)

    def _conduct(self, study: Study) -> Finished:
        prepared = prepare(study, self.order, self.rig, (self._now or utc_now)().astimezone())
        self._show(_begun(study, prepared, self.rig))
        with self._assemble(self.rig, self.order.animal) as instruments:
            with self._lock:
                self._abort = instruments.stimulator.abort
                self._shown = replace(self._shown, channels=instruments.source.channels)
            if self._desk.wants_stop():
                raise StoppedByExperimenter(instruments.stimulator.abort())
            # A bench that runs in real time keeps its own pace: held back, it would fall further behind at every stall.
            if self.rig.bench is not None and self.rig.bench.clock == "demand":
                instruments = replace(instruments, source=PacedSource(instruments.source, self._pace))
            return run_session(
                study,
                prepared,
                instruments,
                self._desk,
                self._hear,
                last_train=self._last_train,
                now=self._now,
                patience=self._patience,
                acts=self._desk,
                voids=self._desk,
            )

    def _hear(self, fact: Progress) -> None:
        if isinstance(fact, Read):
            self._show_block(fact.first_sample, fact.block)
        self._change(lambda situation: after(situation, fact))

    def _change(self, change: Callable[[Situation], Situation]) -> None:
        with self._lock:
            if self._shown.situation is not None:
                self._shown = replace(self._shown, situation=change(self._shown.situation))

    def _show(self, situation: Situation) -> None:
        with self._lock:
            self._shown = replace(self._shown, situation=situation)

    def _stop_output(self, abort: Callable[[], Abort]) -> None:
        self._heard_of_stop(abort())

    def _heard_of_stop(self, abort: Abort) -> None:
        """A proof stays one: no train follows a stop, and a link that is closed behind it can prove nothing."""
        with self._lock:
            if abort is Abort.CONFIRMED:
                self._shown = replace(self._shown, stop=StopSaid.CONFIRMED)
            elif self._shown.stop is not StopSaid.CONFIRMED:
                self._shown = replace(self._shown, stop=StopSaid.UNCONFIRMED)

    def _sentence(self, error: BaseException) -> str:
        sentence = told(error)
        if sentence is None:
            LOG.error("the session of %s failed", self.order.animal, exc_info=error)
            sentence = f"a mistake of the program, {type(error).__name__}: {error}; the session can be resumed"
        return sentence


def _begun(study: Study, prepared: Prepared, rig: RigConfig) -> Situation:
    view = study.unfinished(prepared.animal, name_of(prepared.plan))
    plan = prepared.plan if view is None else view.started.plan
    return Situation(
        animal=prepared.animal,
        plan=plan,
        limits=prepared.limits if view is None else strictest([prepared.limits, view.started.limits]),
        rate_hz=rig.daq.rate_hz,
        scale=scale_of(plan) or study.config.scale,
        trials=() if view is None else tuple(view.trials),
    )
