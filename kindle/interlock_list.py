"""Every interlock of the next train by its name, and what it says now: the same rules that the rig goes by."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from drivers.interface import PulseTrain
from kindle.errors import UnsafeStimulus
from kindle.safety import Exposure, SafetyLimits, check_interlocks, check_train


@dataclass(frozen=True, slots=True)
class Interlock:
    """``reason`` says what forbids the train, or by how much it is within its limit."""

    name: str
    permits: bool
    reason: str


def interlocks(train: PulseTrain, exposure: Exposure, now_s: float, limits: SafetyLimits) -> tuple[Interlock, ...]:
    """Each rule looked at alone, so that one that forbids does not hide the others."""

    def alone(**part: float | int | bool | None) -> Callable[[], None]:
        return lambda: check_interlocks(train, Exposure(**part), now_s, limits)  # type: ignore[arg-type]

    return tuple(
        _looked_at(name, check, within)
        for name, check, within in (
            ("Train within limits", lambda: check_train(train, limits), _strength(train, limits)),
            ("Trains of the session", alone(n_trains=exposure.n_trains), _trains(exposure, limits)),
            (
                "Charge of session and day",
                alone(charge_uc=exposure.charge_uc, earlier_charge_uc=exposure.earlier_charge_uc),
                _charge(train, exposure, limits),
            ),
            ("Interval between trains", alone(last_onset_s=exposure.last_onset_s), _since(exposure, now_s)),
            ("No afterdischarge going on", alone(in_discharge=exposure.in_discharge), "none"),
            (
                "Lock-out after a discharge",
                alone(last_afterdischarge_end_s=exposure.last_afterdischarge_end_s),
                "over" if exposure.last_afterdischarge_end_s is not None else "none in this session",
            ),
        )
    )


def forbidding(listed: tuple[Interlock, ...]) -> Iterator[Interlock]:
    return (one for one in listed if not one.permits)


def _looked_at(name: str, check: Callable[[], None], within: str) -> Interlock:
    try:
        check()
    except UnsafeStimulus as refused:
        return Interlock(name, False, str(refused))
    return Interlock(name, True, within)


def _strength(train: PulseTrain, limits: SafetyLimits) -> str:
    return f"{train.current_ua:.4g} of {limits.max_current_ua:g} µA, {train.charge_per_phase_uc:.3g} µC per phase"


def _trains(exposure: Exposure, limits: SafetyLimits) -> str:
    return f"{exposure.n_trains} of {limits.max_trains_per_session}"


def _charge(train: PulseTrain, exposure: Exposure, limits: SafetyLimits) -> str:
    with_it_uc = exposure.charge_uc + train.charge_uc
    return f"{with_it_uc:.4g} of {limits.max_charge_per_session_uc:g} µC with this train"


def _since(exposure: Exposure, now_s: float) -> str:
    return "first train" if exposure.last_onset_s is None else f"{now_s - exposure.last_onset_s:.0f} s since the last"
