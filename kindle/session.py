"""One session: protocol, rig, journal and recording, from the first request to the outcome, across interruptions."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Literal

from detectors.criterion import Verdict
from kindle.assembly import Instruments
from kindle.durable import sync_folder
from kindle.engine import Perform, journalled, resuming, run
from kindle.errors import ConfigError, KindleError, UnsafeStimulus
from kindle.exchange import Reply, Request, Rest, Stimulate, Trial, VoidTrial
from kindle.experimenter import Experimenter
from kindle.interrupted import settle_train
from kindle.locking import exclusive
from kindle.markers import marking
from kindle.naming import first_free
from kindle.prepared import Prepared, check_lockout, check_plan
from kindle.progress import Done, Listener
from kindle.protocols.threshold import Aborted, ThresholdOutcome, ThresholdPlan, ascending_threshold
from kindle.rig import Rig, StrayCurrent, UnaskedTrain
from kindle.rows import (
    SessionEnded,
    SessionInterrupted,
    SessionStarted,
)
from kindle.safety import Exposure, charge_report
from kindle.session_record import Clock, SessionJournal, not_hiding, reason_of, recording_of, restore_markers
from kindle.stream import Rows, Stream
from kindle.study import SessionView, Study, strictest

LastTrain = Literal["ask", "delivered", "void"]
"""What the experimenter says of a train that the program died on, where the recording cannot tell."""


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Finished:
    session: str
    outcome: ThresholdOutcome


def run_threshold(
    study: Study,
    prepared: Prepared,
    instruments: Instruments,
    experimenter: Experimenter,
    listener: Listener,
    *,
    last_train: LastTrain = "ask",
    now: Clock = utc_now,
) -> Finished:
    """Run the animal's threshold test, or resume the one that was interrupted, to its outcome."""
    study.animal(prepared.animal)
    with _animal_alone(study, prepared.animal):
        view = study.unfinished(prepared.animal, "threshold")
        if view is not None:
            _check_same_rig(view, prepared)
        plan = prepared.plan if view is None else view.started.plan
        limits = prepared.limits if view is None else strictest([prepared.limits, view.started.limits])
        try:
            check_plan(plan, limits)
        except (ConfigError, UnsafeStimulus) as error:
            if view is None:
                raise
            raise type(error)(f"{error}; session {view.id} cannot go on: end it with kindle study end") from error
        if view is None and not prepared.simulated:
            lockout_s = max(plan.lockout_after_ad_s, limits.lockout_after_afterdischarge_s)
            check_lockout(study.sessions(prepared.animal), lockout_s, now(), interval_s=limits.min_interval_s)
        settle = _settler(study, view, experimenter, last_train)
        # A session begins, and its plan is fixed, once there are instruments to run it on.
        Rows.of(instruments.source.channels)
        identities = instruments.source.identify(), instruments.stimulator.identify()
        begun = now()
        stamp = f"{begun:%Y%m%d_%H%M%S}_threshold"
        taken = set(study.journal.sessions()).__contains__
        session = view.id if view is not None else first_free(f"{prepared.animal}_{stamp}", taken)
        journal = SessionJournal(study.journal, session, now)
        if view is None:
            journal.write(_started(study, prepared))
        name = f"recordings/{prepared.animal}/{stamp}"
        with recording_of(study, journal, instruments, identities, name, begun) as opened:
            recording, recording_folder = opened
            listener = marking(recording, recording_folder, listener)
            stream = Stream(instruments.source, recording, plan.criterion, instruments.block, listener)
            journal.stream = stream
            rig = Rig(
                stream,
                instruments.stimulator,
                limits,
                experimenter,
                watch_s=plan.watch_s,
                baseline_s=plan.baseline_s,
                recording=recording_folder,
                listener=listener,
                exposure=_exposure(view),
            )
            outcome = _perform(rig, plan, journal, view, settle, listener)
            journal.write(SessionEnded(outcome))
        if view is not None:
            restore_markers(study, view.id)
    return Finished(session, outcome)


def end_unfinished(study: Study, animal: str, reason: str, *, now: Clock = utc_now) -> Finished:
    """End an interrupted session that nobody wants, or is able, to resume; its trials stay what they are.

    After a possible discharge the lock-out for the next session begins now. Raises ``KindleError`` when there is none.
    """
    study.animal(animal)
    with _animal_alone(study, animal):
        view = study.unfinished(animal, "threshold")
        if view is None:
            raise KindleError(f"{animal} has no unfinished session; kindle study show lists its sessions")
        clear_ua = [t.train.current_ua for t in view.trials if isinstance(t, Trial) and t.verdict is Verdict.NONE]
        outcome = Aborted(max(clear_ua, default=0.0), f"ended by the experimenter: {reason}")
        SessionJournal(study.journal, view.id, now).write(SessionEnded(outcome))
        restore_markers(study, view.id)
    return Finished(view.id, outcome)


@contextmanager
def _animal_alone(study: Study, animal: str) -> Iterator[None]:
    folder = study.folder / "recordings" / animal
    folder.mkdir(parents=True, exist_ok=True)
    sync_folder(folder.parent)
    with exclusive(folder / "lock.sqlite"):
        yield


def _check_same_rig(view: SessionView, prepared: Prepared) -> None:
    if view.started.rig != prepared.rig:
        raise ConfigError(
            f"session {view.id} began on rig {view.started.rig!r} and cannot go on with rig {prepared.rig!r}; give the "
            "rig that it began on, or end it with: kindle study end"
        )


def _perform(
    rig: Rig,
    plan: ThresholdPlan,
    journal: SessionJournal,
    view: SessionView | None,
    settle: Perform,
    listener: Listener,
) -> ThresholdOutcome:
    try:
        with rig:
            performer = announced(journalled(rig.perform, journal), listener)
            if view is not None:

                def settled(request: Request) -> Reply:
                    reply = settle(request) if isinstance(request, Stimulate) else rig.perform(request)
                    journal.answered(reply)
                    return reply

                waiting = _after_intervals(performer, rig, plan)
                performer = resuming(waiting, view.exchanges, announced(settled, listener))
            return run(ascending_threshold(plan), performer)
    except BaseException as error:
        stop = "not needed" if rig.last_abort is None else rig.last_abort.value
        with not_hiding(error):
            stray = isinstance(error, UnaskedTrain | StrayCurrent)
            journal.write(SessionInterrupted(reason_of(error), stop, stray))
        raise


def _after_intervals(perform: Perform, rig: Rig, plan: ThresholdPlan) -> Perform:
    """The protocol counted its intervals before the interruption: wait here until a train may be given again."""

    def performed(request: Request) -> Reply:
        if isinstance(request, Stimulate):
            missing_s = _due_s(rig.exposure, plan) - rig.stream.seconds(rig.stream.n_samples)
            if missing_s > 0:
                rig.perform(Rest(missing_s, "intervals after the interruption"))
        return perform(request)

    return performed


def announced(perform: Perform, listener: Listener) -> Perform:
    """Tell of a trial once it stands in the journal: nobody sees a result that could still be lost."""

    def performed(request: Request) -> Reply:
        reply = perform(request)
        if isinstance(reply, Trial | VoidTrial):
            listener(Done(reply))
        return reply

    return performed


def _settler(study: Study, view: SessionView | None, experimenter: Experimenter, last_train: LastTrain) -> Perform:
    """Answer for the train that the program died on, found out before any instrument is touched."""
    if view is None or not view.unanswered or not isinstance(view.exchanges[-1].request, Stimulate):
        return _nothing_to_settle
    reply = settle_train(study.folder, view, experimenter, last_train)
    return lambda request: reply


def _nothing_to_settle(request: Request) -> Reply:
    raise KindleError(f"there is nothing to settle about {request!r}")


def _exposure(view: SessionView | None) -> Exposure:
    """After an interruption the clock of this recording starts at the last train: intervals are waited out anew."""
    if view is None or not (view.trains or view.perhaps_discharged):
        return Exposure()
    return Exposure(
        n_trains=len(view.trains),
        charge_uc=sum(train.charge_uc for train in view.trains),
        last_onset_s=0.0,
        last_afterdischarge_end_s=0.0 if view.perhaps_discharged else None,
    )


def _due_s(exposure: Exposure, plan: ThresholdPlan) -> float:
    """When the plan allows the next train, in seconds of the sample clock."""
    since = (
        (exposure.last_onset_s, plan.interval_s),
        (exposure.last_afterdischarge_end_s, plan.lockout_after_ad_s),
    )
    return max((at_s + wait_s for at_s, wait_s in since if at_s is not None), default=0.0)


def _started(study: Study, prepared: Prepared) -> SessionStarted:
    electrode = study.config.electrode
    reports = (
        [charge_report(prepared.plan.train.at(ua), electrode) for ua in prepared.plan.rungs_ua] if electrode else []
    )
    return SessionStarted(
        animal=prepared.animal,
        protocol="threshold",
        plan=prepared.plan,
        parameters=prepared.parameters,
        limits=prepared.limits,
        warnings=tuple(report for report in reports if report.warning),
        rig=prepared.rig,
        electrode=electrode,
        simulated=prepared.simulated,
        software={
            "kindle-eeg": version("kindle-eeg"),
            "python": sys.version.split()[0],
            **{name: version(name) for name in ("numpy", "scipy", "nidaqmx", "pyserial")},
        },
    )
