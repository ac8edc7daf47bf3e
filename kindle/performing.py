"""A protocol performed on a rig to its outcome: what is written, waited for and asked around each request."""

from collections.abc import Sequence

from kindle.alarms import Sentinel
from kindle.animal_rows import AlarmAcknowledged
from kindle.engine import Exchange, Perform, journalled, resuming, run
from kindle.exchange import Reply, Request, Rest, Stimulate, Trial, VoidTrial
from kindle.experimenter import VoidCalled
from kindle.holding import after_contradictions
from kindle.interrupted_acts import settle_other
from kindle.progress import Done, Listener
from kindle.protocols.catalogue import ObservingPlan, Outcome, Plan, ended_early, protocol
from kindle.rig import Rig, StrayCurrent, UnaskedTrain
from kindle.rows import SessionInterrupted
from kindle.safety import Exposure
from kindle.session_record import SessionJournal, not_hiding, reason_of
from kindle.session_view import SessionView
from kindle.timed_tests import TimedTest, TooLate
from kindle.voiding import Voider


def perform_to_outcome(
    rig: Rig,
    plan: Plan,
    journal: SessionJournal,
    view: SessionView | None,
    settle: Perform,
    sentinel: Sentinel,
    animal: str,
    voider: Voider,
) -> Outcome:
    """Go on from ``view``, where there is one; ``settle`` answers for a train that the program died on."""

    def settled(request: Request) -> Reply:
        reply = settle(request) if isinstance(request, Stimulate) else settle_other(request, rig.perform)
        journal.answered(reply)
        if isinstance(reply, VoidTrial) and reply.contradicted:
            rig.hold(reply.reason)
        return reply

    try:
        with rig:
            if view is not None and view.held:
                rig.hold(view.held)
            timed = TimedTest(plan, rig, journal, animal)
            performer = timed.hearing(announced(journalled(rig.perform, journal), sentinel))
            performer = timed.after_acts(voider.offering(performer))
            performer = _after_alarms(performer, rig, sentinel, journal, animal)
            performer = after_contradictions(performer, rig, journal)
            if view is not None:
                performer = _after_intervals(performer, rig, plan)
            performer = voider.before(performer)
            history: Sequence[Exchange] = () if view is None else view.exchanges
            while True:
                try:
                    outcome = run(protocol(plan), resuming(performer, history, announced(settled, sentinel)))
                    if not voider.called_at_the_end():
                        return outcome
                except VoidCalled:
                    pass
                except TooLate as late:
                    return ended_early(plan, [past.reply for past in voider.exchanges()], str(late))
                history = voider.heard_anew()
    except BaseException as error:
        stop = "not needed" if rig.last_abort is None else rig.last_abort.value
        with not_hiding(error):
            stray = isinstance(error, UnaskedTrain | StrayCurrent)
            journal.write(SessionInterrupted(reason_of(error), stop, stray))
        raise


def _after_intervals(perform: Perform, rig: Rig, plan: Plan) -> Perform:
    """The protocol counted its intervals before the interruption: wait here until a train may be given again."""

    def performed(request: Request) -> Reply:
        if isinstance(request, Stimulate):
            missing_s = _due_s(rig.exposure, plan) - rig.stream.seconds(rig.stream.n_samples)
            if missing_s > 0:
                rig.perform(Rest(missing_s, "intervals after the interruption"))
        return perform(request)

    return performed


def _after_alarms(perform: Perform, rig: Rig, sentinel: Sentinel, journal: SessionJournal, animal: str) -> Perform:
    """No train is even asked for while nobody has acknowledged the alarm for status epilepticus."""

    def performed(request: Request) -> Reply:
        if isinstance(request, Stimulate) and sentinel.in_force is not None:
            name = rig.ask_name(f"{sentinel.in_force.text} Type your name to acknowledge it and go on")
            journal.write(AlarmAcknowledged(animal, name))
            sentinel.acknowledged()
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


def _due_s(exposure: Exposure, plan: Plan) -> float:
    """When the plan allows the next train, in seconds of the sample clock."""
    if isinstance(plan, ObservingPlan):
        return 0.0
    since = (
        (exposure.last_onset_s, plan.interval_s),
        (exposure.last_afterdischarge_end_s, plan.lockout_after_ad_s),
    )
    return max((at_s + wait_s for at_s, wait_s in since if at_s is not None), default=0.0)
