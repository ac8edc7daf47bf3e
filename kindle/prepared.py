"""A threshold session about to begin: the plan in force, and what forbids it before anything is armed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from kindle.errors import ConfigError, UnsafeStimulus
from kindle.presets import Parameter, load_threshold_preset, parameters, resolve
from kindle.protocols.threshold import ThresholdPlan
from kindle.rig_config import RigConfig
from kindle.safety import SafetyLimits, check_train
from kindle.study import SessionView, Study, strictest


@dataclass(frozen=True, slots=True)
class Prepared:
    """A threshold session about to begin: nothing in it is left open, nothing has happened yet."""

    animal: str
    plan: ThresholdPlan
    parameters: tuple[Parameter, ...]
    limits: SafetyLimits
    rig: str
    simulated: bool = False
    """A simulated rat is born with each session: nothing of earlier ones is left in it."""


def prepare_threshold(study: Study, animal: str, rig: RigConfig, preset_id: str | None = None) -> Prepared:
    """The plan in force: the preset, the laboratory's values over it, the stricter of the rig's and study's limits."""
    study.animal(animal)
    preset = load_threshold_preset(preset_id or study.config.preset, study.config.threshold)
    limits = rig.limits if study.config.limits is None else strictest([rig.limits, study.config.limits])
    plan = resolve(preset)
    check_plan(plan, limits)
    return Prepared(animal, plan, parameters(preset), limits, rig.name, simulated=rig.bench is not None)


def check_plan(plan: ThresholdPlan, limits: SafetyLimits) -> None:
    """Refuse, before anything is armed, a plan that would run into a limit on its way. Raises ``ConfigError``."""
    if not plan.rungs_ua:
        raise ConfigError(f"no current lies between start_ua = {plan.start_ua:g} and max_ua = {plan.max_ua:g} uA")
    for current_ua in plan.rungs_ua:
        check_train(plan.train.at(current_ua), limits)
    if len(plan.rungs_ua) > limits.max_trains_per_session:
        raise ConfigError(
            f"the ladder has {len(plan.rungs_ua)} currents; "
            f"max_trains_per_session allows {limits.max_trains_per_session}"
        )
    for name, planned_s, least_s in (
        ("interval_s", plan.interval_s, limits.min_interval_s),
        ("lockout_after_ad_s", plan.lockout_after_ad_s, limits.lockout_after_afterdischarge_s),
    ):
        if planned_s < least_s:
            raise ConfigError(f"the plan's {name} is {planned_s:g} s; the limits ask for {least_s:g} s")


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
