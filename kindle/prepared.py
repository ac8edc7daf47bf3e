"""A session about to begin: the plan in force, and what forbids it before anything is armed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from kindle.calibration import Calibration
from kindle.course_facts import last_threshold_ua
from kindle.electrode import ChargeReport, Electrode, charge_report
from kindle.errors import ConfigError, UnsafeStimulus
from kindle.interlocks import check_animal
from kindle.ledger_view import ledger_of
from kindle.preset_reader import parameters
from kindle.presets import load_threshold_preset, resolve
from kindle.protocols.catalogue import ObservingPlan, Plan, trains_of
from kindle.protocols.threshold import ThresholdPlan
from kindle.protocols.threshold_series import starting_below
from kindle.rig_config import RigConfig, require_calibration
from kindle.safety import SafetyLimits, check_train
from kindle.session_view import SessionView
from kindle.sourced import Parameter
from kindle.study import Study, strictest

DAY = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A session about to begin: nothing in it is left open, nothing has happened yet."""

    animal: str
    plan: Plan
    parameters: tuple[Parameter, ...]
    limits: SafetyLimits
    rig: str
    simulated: bool = False
    """A simulated rat is born with each session: nothing of earlier ones is left in it."""
    electrode: Electrode | None = None
    calibration: Calibration | None = None

    def charge_reports(self) -> tuple[ChargeReport, ...]:
        """What each current of the plan means for the electrode; empty where no electrode is named."""
        if self.electrode is None:
            return ()
        return tuple(charge_report(train, self.electrode) for train in trains_of(self.plan))


def prepare_threshold(
    study: Study, animal: str, rig: RigConfig, preset_id: str | None = None, *, today: date | None = None
) -> Prepared:
    """The plan in force: the preset, the laboratory's values over it, the stricter of the rig's and study's limits.

    A re-test begins below the animal's last known threshold: it gets fewer sub-threshold trains. Raises ``ConfigError``
    for a rig whose calibration is missing or too old ``today``, by default the computer's date.
    """
    study.animal(animal)
    require_calibration(rig, today or datetime.now().astimezone().date())
    ledger = ledger_of(study.journal, animal)
    check_animal(ledger, study.config.animals)
    preset = load_threshold_preset(preset_id or study.config.preset, study.config.threshold)
    limits = rig.limits if study.config.limits is None else strictest([rig.limits, study.config.limits])
    plan = resolve(preset, scale=study.config.scale)
    last_ua = last_threshold_ua(ledger)
    if last_ua is not None:
        plan = starting_below(plan, last_ua)
    check_plan(plan, limits)
    return Prepared(
        animal,
        plan,
        parameters(preset),
        limits,
        rig.name,
        simulated=rig.bench is not None,
        electrode=study.config.electrode,
        calibration=rig.calibration,
    )


def check_plan(plan: Plan, limits: SafetyLimits) -> None:
    """Refuse, before anything is armed, a plan that would run into a limit on its way. Raises ``ConfigError``."""
    if isinstance(plan, ObservingPlan):
        return
    if isinstance(plan, ThresholdPlan) and not plan.rungs_ua:
        raise ConfigError(f"no current lies between start_ua = {plan.start_ua:g} and max_ua = {plan.max_ua:g} uA")
    for train in trains_of(plan):
        check_train(train, limits)
    if plan.most_trains > limits.max_trains_per_session:
        told = (
            f"the ladder has {plan.most_trains} currents"
            if isinstance(plan, ThresholdPlan)
            else (f"the plan has {plan.most_trains} trains")
        )
        raise ConfigError(f"{told}; max_trains_per_session allows {limits.max_trains_per_session}")
    if plan.most_trains == 1 and not isinstance(plan, ThresholdPlan):
        return
    for name, planned_s, least_s in (
        ("interval_s", plan.interval_s, limits.min_interval_s),
        ("lockout_after_ad_s", plan.lockout_after_ad_s, limits.lockout_after_afterdischarge_s),
    ):
        if planned_s < least_s:
            raise ConfigError(f"the plan's {name} is {planned_s:g} s; the limits ask for {least_s:g} s")


def check_between(earlier: Sequence[SessionView], plan: Plan, limits: SafetyLimits, now_utc: datetime) -> None:
    """Refuse a new session too soon after an earlier one; one that only observes gives no current."""
    if not isinstance(plan, ObservingPlan):
        lockout_s = max(plan.lockout_after_ad_s, limits.lockout_after_afterdischarge_s)
        check_lockout(earlier, lockout_s, now_utc, interval_s=limits.min_interval_s)


def read_either_way(study: Study, animal: str) -> list[SessionView]:
    """The animal's sessions as they were run and as they were amended: a discharge in either reading is one."""
    return [*study.sessions(animal), *study.sessions(animal, amended=True)]


def charge_of_last_day(
    study: Study, animal: str, view: SessionView | None, now_utc: datetime, *, simulated: bool = False
) -> float:
    """uC that the animal had in the last 24 h in sessions other than ``view``, as the journal has it.

    A clock that was set back makes it more, never less. What a simulated rig delivered reached no animal but a
    ``simulated`` one.
    """
    others = (other for other in study.sessions(animal) if view is None or other.id != view.id)
    return sum(other.charge_uc(now_utc - DAY) for other in others if simulated or not other.started.simulated)


def check_lockout(
    earlier: Sequence[SessionView], lockout_s: float, now_utc: datetime, *, interval_s: float = 0.0
) -> None:
    """Refuse a new session too soon after a discharge, or a train, of an earlier one. Raises ``UnsafeStimulus``.

    Between sessions only wall time is known; a clock that was set back makes the wait longer, never shorter.
    """
    for view in earlier:
        if view.trains and view.last_utc is not None and now_utc < view.last_utc + timedelta(seconds=interval_s):
            raise UnsafeStimulus(
                f"{view.started.animal} had trains in session {view.id}, which ended "
                f"{(now_utc - view.last_utc).total_seconds():.0f} s ago; min_interval_s asks for {interval_s:g} s"
            )
        if view.perhaps_discharged and view.last_utc is not None:
            free_utc = view.last_utc + timedelta(seconds=lockout_s)
            if now_utc < free_utc:
                raise UnsafeStimulus(
                    f"{view.started.animal} had, or may have had, an afterdischarge in session {view.id}; the lock-out "
                    f"of {lockout_s / 3600:.4g} h ends at {free_utc:%Y-%m-%d %H:%M} UTC"
                )
