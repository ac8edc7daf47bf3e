"""What may be asked of the rig in the safety model: limits, trains within and far beyond them, plans of sessions."""

from math import inf, nan

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from msgspec import structs

from benchmarks.reliability.safety_programs import BASELINE_S, CRITERION, WATCH_S
from drivers.interface import PulseTrain
from kindle.protocols.catalogue import Plan
from kindle.protocols.kindling import KindlingPlan
from kindle.protocols.ladder import Ratio
from kindle.protocols.threshold import ThresholdPlan, TrainShape
from kindle.safety import SafetyLimits
from kindle.status import StatusRule

ALARM_AFTER_S = 2.0
SCALE = "racine_1972@1"

WIDEST = SafetyLimits(
    max_current_ua=200.0,
    max_phase_us=2000.0,
    max_pulse_hz=100.0,
    max_train_s=0.2,
    max_charge_per_phase_uc=0.15,
    max_net_charge_uc=1.0,
    max_charge_per_train_uc=3.0,
    max_charge_per_session_uc=12.0,
    max_charge_per_day_uc=18.0,
    max_trains_per_session=12,
    min_interval_s=6.0,
    lockout_after_afterdischarge_s=12.0,
)
"""So narrow that every limit is met within minutes, and trains so short that there are many."""

JUST_WITHIN, JUST_BEYOND = 1.0, 1 + 2e-6
SHARES = (0.1, 0.25, 0.3, 0.4, 0.5, 0.8, JUST_WITHIN)
SPOILT = (JUST_BEYOND, 1.03, 1.5, 4.0, 1e6, 0.0, -1.0, nan, inf, -inf, 1e-9, 0.777)
"""Times the limit; the last ones fit no grid."""
FIELDS = {
    "current_ua": WIDEST.max_current_ua,
    "phase_us": WIDEST.max_phase_us,
    "interphase_us": 1000.0,
    "pulse_hz": WIDEST.max_pulse_hz,
    "train_s": WIDEST.max_train_s,
}


def some_limits() -> SearchStrategy[SafetyLimits]:
    return st.builds(
        structs.replace,
        st.just(WIDEST),
        min_interval_s=st.sampled_from((0.0, 6.0, 9.0, 12.0)),
        lockout_after_afterdischarge_s=st.sampled_from((0.0, 9.0, 15.0, 30.0)),
        max_trains_per_session=st.sampled_from((3, 12)),
        max_net_charge_uc=st.sampled_from((0.0, 1.0)),
        max_charge_per_session_uc=st.sampled_from((6.0, 12.0, 50.0)),
        max_charge_per_day_uc=st.sampled_from((9.0, 18.0, 70.0)),
    )


def sound_trains() -> SearchStrategy[PulseTrain]:
    """Each field within its own limit; their products may be beyond others."""
    return st.builds(
        PulseTrain,
        current_ua=st.sampled_from(tuple(WIDEST.max_current_ua * share for share in SHARES)),
        phase_us=st.sampled_from((500.0, 1000.0, WIDEST.max_phase_us)),
        interphase_us=st.sampled_from((0.0, 0.0, 50.0)),
        pulse_hz=st.sampled_from((20.0, 50.0, 60.0, WIDEST.max_pulse_hz)),
        train_s=st.sampled_from((0.05, 0.1, WIDEST.max_train_s)),
        shape=st.sampled_from(("biphasic",) * 7 + ("monophasic",)),
        polarity=st.sampled_from(("cathodic_first", "anodic_first")),
    )


def spoilt_trains() -> SearchStrategy[PulseTrain]:
    """One field at, beyond or far from its limit, or no number at all."""
    return st.builds(_spoilt, sound_trains(), st.sampled_from(tuple(FIELDS)), st.sampled_from(SPOILT))


def plans(*, spoilt: bool) -> SearchStrategy[Plan]:
    """Sessions of a few trains, their intervals in units of what the limits ask for; see ``spaced``.

    ``spoilt`` ones ask for what the limits forbid, in their trains or in their intervals.
    """
    spacings = st.sampled_from((0.5, 1.0) if spoilt else (1.0, 1.5))
    trains = spoilt_trains() if spoilt else sound_trains()
    return st.one_of(
        st.builds(_kindling, trains, st.sampled_from((1, 2, 3)), spacings),
        st.builds(_threshold, sound_trains(), st.sampled_from((1.0, 2.0) if spoilt else (0.5, 1.0)), spacings),
    )


def spaced(plan: Plan, limits: SafetyLimits) -> Plan:
    """``plan`` with its intervals in seconds."""
    assert isinstance(plan, KindlingPlan | ThresholdPlan)
    return structs.replace(
        plan,
        interval_s=plan.interval_s * limits.min_interval_s,
        lockout_after_ad_s=plan.lockout_after_ad_s * limits.lockout_after_afterdischarge_s,
    )


def _spoilt(train: PulseTrain, field: str, share: float) -> PulseTrain:
    return structs.replace(train, **{field: FIELDS[field] * share})


def _kindling(train: PulseTrain, n_trains: int, spacing: float) -> Plan:
    return KindlingPlan(
        preset="mine@1",
        current_ua=train.current_ua,
        train=_shape_of(train),
        trains=n_trains,
        interval_s=spacing,
        lockout_after_ad_s=spacing,
        baseline_s=BASELINE_S,
        watch_s=WATCH_S,
        criterion=CRITERION,
        scale=SCALE,
        status=StatusRule(after_s=ALARM_AFTER_S),
    )


def _threshold(train: PulseTrain, most: float, spacing: float) -> Plan:
    return ThresholdPlan(
        preset="mine@1",
        start_ua=50.0,
        step=Ratio(1.4),
        max_ua=WIDEST.max_current_ua * most,
        interval_s=spacing,
        lockout_after_ad_s=spacing,
        baseline_s=BASELINE_S,
        watch_s=WATCH_S,
        train=_shape_of(train),
        criterion=CRITERION,
        if_undetermined="ask",
    )


def _shape_of(train: PulseTrain) -> TrainShape:
    return TrainShape(train.shape, train.polarity, train.phase_us, train.interphase_us, train.pulse_hz, train.train_s)
