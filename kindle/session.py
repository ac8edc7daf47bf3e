"""One session: protocol, rig, journal and recording, from the first request to the outcome, across interruptions."""

import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Literal

from detectors.afterdischarge import make_ready
from kindle.acknowledging import acknowledgements
from kindle.alarms import Sentinel
from kindle.assembly import Instruments
from kindle.bridging import PATIENT, Bridge, Patience
from kindle.engine import Perform
from kindle.errors import ConfigError, KindleError, UnsafeStimulus
from kindle.exchange import Reply, Request, Stimulate
from kindle.experimenter import Experimenter
from kindle.interlocks import check_alarm
from kindle.interrupted import settle_train
from kindle.ledger_view import ledger_of
from kindle.markers import marking
from kindle.naming import first_free
from kindle.performing import perform_to_outcome
from kindle.prepared import Prepared, charge_of_last_day, check_between, check_plan, read_either_way
from kindle.progress import Listener
from kindle.protocols.catalogue import Outcome, ended_early, name_of
from kindle.releasing import TwoActs
from kindle.rig import Rig
from kindle.rows import SessionEnded, SessionStarted
from kindle.safety import Exposure
from kindle.session_record import (
    Clock,
    SessionJournal,
    noting_gaps,
    recording_of,
    restore_markers,
)
from kindle.session_view import SessionView
from kindle.sharing import animal_alone, shared
from kindle.stream import Rows, Stream
from kindle.study import Study, strictest
from kindle.voiding import NoVoids, Voider, Voids, leaving_rests

LastTrain = Literal["ask", "delivered", "void"]
"""What the experimenter says of a train that the program died on, where the recording cannot tell."""


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Finished:
    session: str
    outcome: Outcome


def run_session(
    study: Study,
    prepared: Prepared,
    instruments: Instruments,
    experimenter: Experimenter,
    listener: Listener,
    *,
    last_train: LastTrain = "ask",
    now: Clock | None = None,
    patience: Patience = PATIENT,
    acts: TwoActs | None = None,
    voids: Voids | None = None,
) -> Finished:
    """Run a session of the animal, or resume the one of this protocol that was interrupted, to its outcome.

    With ``acts`` each train waits until a person has armed and fired it; ``voids`` may call the last one void. ``now``
    is the clock of the animal's days, by default the computer's. A simulated session takes no time of that one: only a
    clock that is given tells how long a simulated rat has rested.
    """
    days_pass = now is not None or not prepared.simulated
    now = now or utc_now
    study.animal(prepared.animal)
    with animal_alone(study, prepared.animal), shared(study, prepared.animal):
        kind = name_of(prepared.plan)
        view = study.unfinished(prepared.animal, kind)
        if view is not None:
            _check_same_rig(view, prepared)
        else:
            _check_nothing_open(study, prepared.animal)
        plan = prepared.plan if view is None else view.started.plan
        limits = prepared.limits if view is None else strictest([prepared.limits, view.started.limits])
        try:
            check_plan(plan, limits)
        except (ConfigError, UnsafeStimulus) as error:
            if view is None:
                raise
            raise type(error)(f"{error}; session {view.id} cannot go on: end it with kindle study end") from error
        check_alarm(ledger_of(study.journal, prepared.animal))
        if view is None and days_pass:
            check_between(read_either_way(study, prepared.animal), plan, limits, now())
        earlier_uc = 0.0
        if days_pass:
            earlier_uc = charge_of_last_day(study, prepared.animal, view, now(), simulated=prepared.simulated)
        reports = prepared.charge_reports() if view is None else ()
        acknowledged = acknowledgements(reports, experimenter, simulated=prepared.simulated)
        settle = _settler(study, view, experimenter, last_train)
        # A session begins, and its plan is fixed, once there are instruments to run it on.
        Rows.of(instruments.source.channels)
        identities = instruments.source.identify(), instruments.stimulator.identify()
        # While the board samples already, there is no time for it: its buffer holds some seconds.
        make_ready(instruments.source.rate_hz)
        begun = now()
        stamp = f"{begun:%Y%m%d_%H%M%S}_{kind}"
        taken = set(study.journal.sessions()).__contains__
        session = view.id if view is not None else first_free(f"{prepared.animal}_{stamp}", taken)
        journal = SessionJournal(study.journal, session, now)
        if view is None:
            journal.write(_started(prepared))
            for row in acknowledged:
                journal.write(row)
        name = f"recordings/{prepared.animal}/{stamp}"
        with recording_of(study, journal, instruments, identities, name, begun) as opened:
            recording, recording_folder = opened
            voids = voids or NoVoids()
            listener = marking(recording, recording_folder, leaving_rests(listener, voids))
            listener = noting_gaps(journal, recording_folder, instruments.source.rate_hz, listener)
            sentinel = Sentinel(study.config.status, instruments.source.rate_hz, listener)
            stream = Stream(instruments.source, recording, plan.criterion, instruments.block, sentinel)
            journal.stream = stream
            rig = Rig(
                stream,
                instruments.stimulator,
                limits,
                experimenter,
                watch_s=plan.watch_s,
                baseline_s=plan.baseline_s,
                recording=recording_folder,
                listener=sentinel,
                exposure=_exposure(view, earlier_uc),
                bridge=Bridge(instruments.source, stream, sentinel, patience),
                acts=acts,
                rest_limit_ua=instruments.rest_limit_ua,
            )
            instruments.dial.answered_by(rig.ask_number)
            voider = Voider(voids, study, journal, session, listener)
            outcome = perform_to_outcome(rig, plan, journal, view, settle, sentinel, prepared.animal, voider)
            journal.write(SessionEnded(outcome))
        if view is not None:
            restore_markers(study, view.id, now)
    return Finished(session, outcome)


run_threshold = run_session
"""A threshold test is a session like any other."""


def end_unfinished(study: Study, animal: str, reason: str, *, now: Clock = utc_now) -> Finished:
    """End an interrupted session that nobody wants, or is able, to resume; its trials stay what they are.

    After a possible discharge the lock-out for the next session begins now. Raises ``KindleError`` when there is none.
    """
    study.animal(animal)
    with animal_alone(study, animal):
        view = study.unfinished(animal)
        if view is None:
            raise KindleError(f"{animal} has no unfinished session; kindle study show lists its sessions")
        replies = [exchange.reply for exchange in view.exchanges]
        outcome = ended_early(view.started.plan, replies, f"ended by the experimenter: {reason}")
        SessionJournal(study.journal, view.id, now).write(SessionEnded(outcome))
        restore_markers(study, view.id, now)
    return Finished(view.id, outcome)


def _check_nothing_open(study: Study, animal: str) -> None:
    """A session of another protocol that was interrupted may have left a train in doubt. Raises ``KindleError``."""
    open_ = study.unfinished(animal)
    if open_ is not None:
        raise KindleError(
            f"{animal} has the unfinished {open_.started.protocol} session {open_.id}: go on with it by running "
            f"{open_.started.protocol} again, or end it with: kindle study end"
        )


def _check_same_rig(view: SessionView, prepared: Prepared) -> None:
    if view.started.rig != prepared.rig:
        raise ConfigError(
            f"session {view.id} began on rig {view.started.rig!r} and cannot go on with rig {prepared.rig!r}; give the "
            "rig that it began on, or end it with: kindle study end"
        )


def _settler(study: Study, view: SessionView | None, experimenter: Experimenter, last_train: LastTrain) -> Perform:
    """Answer for the train that the program died on, found out before any instrument is touched."""
    if view is None or not view.unanswered or not isinstance(view.exchanges[-1].request, Stimulate):
        return _nothing_to_settle
    reply = settle_train(study.folder, view, experimenter, last_train)
    return lambda request: reply


def _nothing_to_settle(request: Request) -> Reply:
    raise KindleError(f"there is nothing to settle about {request!r}")


def _exposure(view: SessionView | None, earlier_uc: float) -> Exposure:
    """After an interruption the clock of this recording starts at the last train: intervals are waited out anew."""
    if view is None or not (view.trains or view.perhaps_discharged):
        return Exposure(earlier_charge_uc=earlier_uc)
    return Exposure(
        n_trains=len(view.trains),
        charge_uc=view.charge_uc(),
        earlier_charge_uc=earlier_uc,
        last_onset_s=0.0,
        last_afterdischarge_end_s=0.0 if view.perhaps_discharged else None,
    )


def _started(prepared: Prepared) -> SessionStarted:
    return SessionStarted(
        animal=prepared.animal,
        protocol=name_of(prepared.plan),
        plan=prepared.plan,
        parameters=prepared.parameters,
        limits=prepared.limits,
        warnings=tuple(report for report in prepared.charge_reports() if report.warning),
        rig=prepared.rig,
        electrode=prepared.electrode,
        calibration=prepared.calibration,
        simulated=prepared.simulated,
        software={
            "kindle-eeg": version("kindle-eeg"),
            "python": sys.version.split()[0],
            **{name: version(name) for name in ("numpy", "scipy", "nidaqmx", "pyserial")},
        },
    )
