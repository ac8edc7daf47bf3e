"""Limits and interlocks: a train is refused before it is a current, never clipped."""

from math import isfinite
from typing import Annotated

import msgspec
from msgspec import Meta

from drivers.interface import DeliveredTrain, PulseTrain
from kindle.errors import ConfigError, UnsafeStimulus

# Upper bounds keep `inf` out: TOML allows it, and Meta(gt=0) alone would take it.
Current = Annotated[float, Meta(gt=0, le=20_000)]
Micros = Annotated[float, Meta(gt=0, le=1e6)]
Charge = Annotated[float, Meta(gt=0, le=1e6)]
NetCharge = Annotated[float, Meta(ge=0, le=1e6)]
Seconds = Annotated[float, Meta(ge=0, le=1e7)]

RATE_ROUNDING = 0.01
"""How far above ``max_pulse_hz`` the ticks of a stimulator's clock may put a rate that was asked within it."""


class SafetyLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What this rig may ever deliver. Every field is required: a limit nobody chose is not a limit."""

    max_current_ua: Current
    max_phase_us: Micros
    max_pulse_hz: Annotated[float, Meta(gt=0, le=100_000)]
    max_train_s: Annotated[float, Meta(gt=0, le=3600)]
    max_charge_per_phase_uc: Charge
    max_net_charge_uc: NetCharge
    """Direct current charge of one train; a monophasic train needs more than zero."""
    max_charge_per_train_uc: Charge
    """Moved in one direction or the other, as all charges below."""
    max_charge_per_session_uc: Charge
    max_charge_per_day_uc: Charge
    """Of one animal in any 24 hours, over all its sessions."""
    max_trains_per_session: Annotated[int, Meta(gt=0, le=100_000)]
    min_interval_s: Seconds
    """Train onset to train onset."""
    lockout_after_afterdischarge_s: Seconds
    """From the end of an afterdischarge to the next train."""

    def __post_init__(self) -> None:
        """Limits written in code meet no decoder: NaN and infinity would let everything through."""
        for name in self.__struct_fields__:
            limit = getattr(self, name)
            if not isfinite(limit) or limit < 0:
                raise ConfigError(f"{name} is {limit:g}; a limit must be a finite number, 0 or more")


class Exposure(msgspec.Struct, frozen=True):
    """What a session has put into the animal so far; times are seconds of the sample clock."""

    n_trains: int = 0
    charge_uc: float = 0.0
    earlier_charge_uc: float = 0.0
    """Of the animal's other sessions, in the 24 hours before this one began."""
    last_onset_s: float | None = None
    last_afterdischarge_end_s: float | None = None
    in_discharge: bool = False


def _within(value: float, limit: float) -> bool:
    """False for NaN; a part in 1e9 of slack, because limits are decimal and products of currents and times are not."""
    return value <= limit * (1 + 1e-9)


def _ends_s(n_pulses: int, period_s: float, pulse_us: float) -> float:
    """From the first edge of a train to the last edge of its last pulse."""
    return (n_pulses - 1) * period_s + pulse_us * 1e-6


def check_train(train: PulseTrain, limits: SafetyLimits) -> None:
    """Refuse a train that breaks a limit whatever went before it. Raises ``UnsafeStimulus``."""
    asked = (
        ("current", train.current_ua, limits.max_current_ua, "uA", "max_current_ua"),
        ("phase", train.phase_us, limits.max_phase_us, "us", "max_phase_us"),
        ("pulse rate", train.pulse_hz, limits.max_pulse_hz, "Hz", "max_pulse_hz"),
        ("train length", train.train_s, limits.max_train_s, "s", "max_train_s"),
        (
            "charge per phase",
            train.charge_per_phase_uc,
            limits.max_charge_per_phase_uc,
            "uC",
            "max_charge_per_phase_uc",
        ),
    )
    for quantity, value, _, unit, _ in asked:
        if not isfinite(value) or value <= 0:
            raise UnsafeStimulus(f"train has a {quantity} of {value:g} {unit}; it must be a positive number")
    if not isfinite(train.interphase_us) or train.interphase_us < 0:
        raise UnsafeStimulus(f"train has an interphase gap of {train.interphase_us:g} us; it must be 0 or more")
    for quantity, value, limit, unit, name in asked:
        if not _within(value, limit):
            raise UnsafeStimulus(
                f"train asks a {quantity} of {value:.10g} {unit}; the rig's {name} allows {limit:g} {unit}"
            )
    ends_s = _ends_s(train.n_pulses, 1 / train.pulse_hz, train.pulse_us)
    if train.n_pulses < 1 or not _within(train.pulse_us * train.pulse_hz, 1e6) or not _within(ends_s, train.train_s):
        raise UnsafeStimulus(
            f"{train.pulse_hz:g} Hz for {train.train_s:g} s cannot hold whole pulses of {train.pulse_us:g} us"
        )
    if not _within(train.charge_uc, limits.max_charge_per_train_uc):
        raise UnsafeStimulus(
            f"train asks a charge of {train.charge_uc:.10g} uC; "
            f"the rig's max_charge_per_train_uc allows {limits.max_charge_per_train_uc:g} uC"
        )
    if not _within(train.net_charge_uc, limits.max_net_charge_uc):
        raise UnsafeStimulus(
            f"the {train.shape} train carries {train.net_charge_uc:.10g} uC of direct current; "
            f"the rig's max_net_charge_uc allows {limits.max_net_charge_uc:g} uC: "
            "use a biphasic train or raise the limit on purpose"
        )


def check_delivered(asked: PulseTrain, delivered: DeliveredTrain, limits: SafetyLimits) -> None:
    """Refuse what quantisation made of a train if that breaks a limit, changes its kind or unbalances it."""
    charge = (asked.charge_per_phase_uc, delivered.charge_per_phase_uc, limits.max_charge_per_phase_uc)
    for value, rounded, limit, unit, name in (
        (asked.current_ua, delivered.current_ua, limits.max_current_ua, "uA", "max_current_ua"),
        (asked.phase_us, delivered.phase_us, limits.max_phase_us, "us", "max_phase_us"),
        (*charge, "uC per phase", "max_charge_per_phase_uc"),
    ):
        if not isfinite(rounded) or rounded <= 0:
            raise UnsafeStimulus(
                f"the stimulator would make {rounded:g} {unit} of {value:g} {unit}; it must be positive"
            )
        if not _within(rounded, limit):
            raise UnsafeStimulus(
                f"the stimulator would round {value:g} {unit} up to {rounded:.10g} {unit}; "
                f"the rig's {name} allows {limit:g} {unit}"
            )
    if (delivered.shape, delivered.polarity) != (asked.shape, asked.polarity):
        raise UnsafeStimulus(
            f"the stimulator would deliver a {delivered.shape}, {delivered.polarity} train; "
            f"{asked.shape}, {asked.polarity} was asked"
        )
    _check_delivered_timing(asked, delivered, limits)
    if not _within(delivered.charge_uc, limits.max_charge_per_train_uc):
        raise UnsafeStimulus(
            f"the stimulator would round {asked.charge_uc:g} uC per train up to {delivered.charge_uc:.10g} uC; "
            f"the rig's max_charge_per_train_uc allows {limits.max_charge_per_train_uc:g} uC"
        )
    # A balanced train may be off by the rounding of one code: half a percent of the charge that it moves one way.
    rounding_uc = 0.005 * delivered.charge_per_phase_uc * delivered.n_pulses
    allowed_uc = rounding_uc if asked.shape == "biphasic" else limits.max_net_charge_uc
    if not _within(abs(delivered.net_charge_uc), allowed_uc):
        raise UnsafeStimulus(
            f"the quantised {asked.shape} train would leave {delivered.net_charge_uc:g} uC of direct current; "
            f"{allowed_uc:g} uC are allowed"
        )


def _check_delivered_timing(asked: PulseTrain, delivered: DeliveredTrain, limits: SafetyLimits) -> None:
    if delivered.n_pulses != asked.n_pulses:
        raise UnsafeStimulus(f"the stimulator would deliver {delivered.n_pulses} pulses; {asked.n_pulses} were asked")
    gap_us = delivered.interphase_us if asked.shape == "biphasic" else 0.0
    pulse_us = asked.n_phases * delivered.phase_us + gap_us
    if not (gap_us >= 0 and _within(pulse_us, delivered.period_us)):
        raise UnsafeStimulus(
            f"the stimulator would put pulses of {pulse_us:g} us into a period of {delivered.period_us:g} us; "
            "they must not overlap"
        )
    # A clock with ticks makes 60.06 Hz of 60 Hz; the charge stays as asked, because the pulses were counted.
    if not _within(delivered.pulse_hz, limits.max_pulse_hz * (1 + RATE_ROUNDING)):
        raise UnsafeStimulus(
            f"the stimulator would round {asked.pulse_hz:g} Hz up to {delivered.pulse_hz:.10g} Hz; "
            f"the rig's max_pulse_hz allows {limits.max_pulse_hz:g} Hz"
        )
    ends_s = _ends_s(delivered.n_pulses, delivered.period_us * 1e-6, pulse_us)
    if not _within(ends_s, limits.max_train_s):
        raise UnsafeStimulus(
            f"the stimulator would stretch {asked.train_s:g} s to {ends_s:.10g} s; "
            f"the rig's max_train_s allows {limits.max_train_s:g} s"
        )


def check_interlocks(train: PulseTrain, exposure: Exposure, now_s: float, limits: SafetyLimits) -> None:
    """Refuse a train because of what went before it in this session. Raises ``UnsafeStimulus``."""
    if exposure.in_discharge:
        raise UnsafeStimulus("an afterdischarge is still going on; wait for its end and for the lock-out")
    if exposure.n_trains >= limits.max_trains_per_session:
        raise UnsafeStimulus(f"the session has had {exposure.n_trains} trains; max_trains_per_session allows no more")
    check_budgets(train.charge_uc, exposure, limits)
    # Half a millisecond of slack: intervals are counted in samples, limits in decimal seconds.
    if exposure.last_onset_s is not None and not now_s - exposure.last_onset_s >= limits.min_interval_s - 5e-4:
        raise UnsafeStimulus(
            f"the last train began {now_s - exposure.last_onset_s:.3f} s ago; "
            f"min_interval_s asks for {limits.min_interval_s:g} s"
        )
    ended_s = exposure.last_afterdischarge_end_s
    if ended_s is not None and not now_s - ended_s >= limits.lockout_after_afterdischarge_s - 5e-4:
        raise UnsafeStimulus(
            f"the last afterdischarge ended {now_s - ended_s:.3f} s ago; "
            f"lockout_after_afterdischarge_s asks for {limits.lockout_after_afterdischarge_s:g} s"
        )


def check_budgets(charge_uc: float, exposure: Exposure, limits: SafetyLimits) -> None:
    """Refuse the charge of a train, asked or quantised, that the session or the day has no room for."""
    session_uc = exposure.charge_uc + charge_uc
    if not _within(session_uc, limits.max_charge_per_session_uc):
        raise UnsafeStimulus(
            f"this train would bring the session to {session_uc:.10g} uC; "
            f"max_charge_per_session_uc allows {limits.max_charge_per_session_uc:g} uC"
        )
    day_uc = exposure.earlier_charge_uc + session_uc
    if not _within(day_uc, limits.max_charge_per_day_uc):
        raise UnsafeStimulus(
            f"this train would bring the animal to {day_uc:.10g} uC within 24 h; "
            f"max_charge_per_day_uc allows {limits.max_charge_per_day_uc:g} uC"
        )
