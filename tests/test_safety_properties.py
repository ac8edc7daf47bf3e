"""A hundred thousand random trains on a thousand random rigs: whatever is asked, nothing above a limit is delivered."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from math import inf, isfinite, nan
from random import Random
from typing import get_args

import pytest
from msgspec import structs

from drivers.interface import DeliveredTrain, DeviceRefused, Polarity, PulseTrain, Shape
from drivers.pulsepal_train import OutputStage, quantise
from kindle.errors import UnsafeStimulus
from kindle.safety import (
    RATE_ROUNDING,
    Exposure,
    SafetyLimits,
    check_budgets,
    check_delivered,
    check_interlocks,
    check_train,
)

N_RIGS = 1000
TRAINS_A_RIG = 100
SLACK = 1 + 1e-6
"""Of products of decimal numbers; a train above a limit by a part in a million is above it."""

Quantise = Callable[[PulseTrain], DeliveredTrain]
SHAPES = get_args(Shape)
POLARITIES = get_args(Polarity)
NO_NUMBERS = (nan, inf, -inf, 0.0, -1.0)


@dataclass
class Delivered:
    """What reached the animal of one rig, to be held against the limits afterwards."""

    limits: SafetyLimits
    trains: list[tuple[float, DeliveredTrain]] = field(default_factory=list)
    discharge_ends_s: list[float] = field(default_factory=list)
    refused: int = 0


def log_uniform(random: Random, low: float, high: float) -> float:
    return float(low * (high / low) ** random.random())


def some_limits(random: Random) -> SafetyLimits:
    return SafetyLimits(
        max_current_ua=log_uniform(random, 10, 5000),
        max_phase_us=log_uniform(random, 50, 2000),
        max_pulse_hz=log_uniform(random, 5, 300),
        max_train_s=log_uniform(random, 0.2, 20),
        max_charge_per_phase_uc=log_uniform(random, 0.01, 10),
        max_net_charge_uc=random.choice([0.0, log_uniform(random, 0.1, 1000)]),
        max_charge_per_train_uc=log_uniform(random, 1, 3000),
        max_charge_per_session_uc=log_uniform(random, 10, 50_000),
        max_charge_per_day_uc=log_uniform(random, 10, 100_000),
        max_trains_per_session=random.randint(1, 120),
        min_interval_s=random.choice([0.0, random.uniform(0, 300)]),
        lockout_after_afterdischarge_s=random.choice([0.0, random.uniform(0, 3600)]),
    )


def some_train(random: Random, limits: SafetyLimits) -> PulseTrain:
    """Around the limits as a rule, at a limit often, far away or no number at all now and then."""

    def around(limit: float) -> float:
        near = limit * random.uniform(0.05, 1.02)
        return random.choices([near, limit, limit * (1 + 2e-6), log_uniform(random, 1e-3, 1e5)], [80, 10, 5, 5])[0]

    train = PulseTrain(
        current_ua=around(limits.max_current_ua),
        phase_us=around(limits.max_phase_us),
        interphase_us=random.choice([0.0, 0.0, log_uniform(random, 1, 1e4)]),
        pulse_hz=around(limits.max_pulse_hz),
        train_s=around(limits.max_train_s),
        shape=random.choices(SHAPES, [3, 1])[0],
        polarity=random.choice(POLARITIES),
    )
    if random.random() < 0.03:
        name = random.choice(["current_ua", "phase_us", "interphase_us", "pulse_hz", "train_s"])
        train = structs.replace(train, **{name: random.choice(NO_NUMBERS)})
    return train


def a_pulse_pal(random: Random, limits: SafetyLimits) -> Quantise:
    """The shipped quantisation, behind an isolator of any factor."""
    stage = OutputStage(log_uniform(random, 5, 20_000), 10 * limits.max_current_ua, random.random() < 0.5)
    return lambda train: quantise(train, stage).delivered


def a_careless_instrument(random: Random, limits: SafetyLimits) -> Quantise:
    """Rounds everything, sometimes by a lot, loses a phase now and then, and says so truthfully."""
    error = random.choice([1e-9, 0.003, 0.05])

    def quantised(train: PulseTrain) -> DeliveredTrain:
        def off(value: float) -> float:
            return value * (1 + random.uniform(-error, error))

        made = DeliveredTrain.as_asked(train)
        current_ua, phase_us = off(made.current_ua), off(made.phase_us)
        second_us = 0.0 if train.shape == "monophasic" else phase_us
        n_pulses = made.n_pulses + random.choice([0] * 30 + [-1, 1])
        lost = random.choice([0] * 20 + [1]) if second_us else 0
        net_uc = current_ua * 1e-6 * (n_pulses * phase_us - (n_pulses - lost) * second_us)
        return structs.replace(
            made,
            current_ua=current_ua,
            phase_us=phase_us,
            period_us=off(made.period_us),
            n_pulses=n_pulses,
            net_charge_uc=net_uc,
        )

    return quantised


def a_life(random: Random) -> Delivered:
    """One session of trains as a rig performs them: checked, quantised, checked again, then delivered."""
    limits = some_limits(random)
    life = Delivered(limits)
    instrument = random.choice([a_pulse_pal, a_careless_instrument])(random, limits)
    earlier_uc = random.choice([0.0, random.uniform(0, limits.max_charge_per_day_uc)])
    exposure = Exposure(earlier_charge_uc=earlier_uc)
    now_s = 0.0
    for _ in range(TRAINS_A_RIG):
        now_s += log_uniform(random, 0.1, 3600)
        train = some_train(random, limits)
        try:
            check_train(train, limits)
            check_interlocks(train, exposure, now_s, limits)
            delivered = instrument(train)
            check_delivered(train, delivered, limits)
            check_budgets(delivered.charge_uc, exposure, limits)
        except (UnsafeStimulus, DeviceRefused):
            life.refused += 1
            continue
        life.trains.append((now_s, delivered))
        discharge_end_s = now_s + random.uniform(1, 60) if random.random() < 0.2 else None
        if discharge_end_s is not None:
            life.discharge_ends_s.append(discharge_end_s)
        exposure = structs.replace(
            exposure,
            n_trains=exposure.n_trains + 1,
            charge_uc=exposure.charge_uc + delivered.charge_uc,
            last_onset_s=now_s,
            last_afterdischarge_end_s=discharge_end_s or exposure.last_afterdischarge_end_s,
        )
    assert exposure.earlier_charge_uc + exposure.charge_uc <= limits.max_charge_per_day_uc * SLACK or not life.trains
    return life


@pytest.fixture(scope="module")
def lives() -> list[Delivered]:
    random = Random(20261123)
    return [a_life(random) for _ in range(N_RIGS)]


def every_train(lives: list[Delivered]) -> Iterator[tuple[SafetyLimits, DeliveredTrain]]:
    for life in lives:
        for _, train in life.trains:
            yield life.limits, train


def waveform(train: DeliveredTrain) -> tuple[float, float, float, float]:
    """Peak in uA, charge of the largest phase, all charge and net charge in uC, summed over the phases themselves."""
    ways = (1, -1) if train.shape == "biphasic" else (1,)
    phases_uc = [way * train.current_ua * train.phase_us * 1e-6 for _ in range(train.n_pulses) for way in ways]
    return train.current_ua, max(map(abs, phases_uc)), sum(map(abs, phases_uc)), abs(sum(phases_uc))


def test_both_acceptance_and_refusal_are_put_to_the_test(lives: list[Delivered]) -> None:
    delivered = sum(len(life.trains) for life in lives)
    assert delivered + sum(life.refused for life in lives) == N_RIGS * TRAINS_A_RIG
    assert delivered > 10_000


def test_no_train_exceeds_a_limit_of_its_own(lives: list[Delivered]) -> None:
    for limits, train in every_train(lives):
        peak_ua, phase_uc, train_uc, net_uc = waveform(train)
        last_edge_s = ((train.n_pulses - 1) * train.period_us + train.phase_us) * 1e-6
        assert 0 < peak_ua <= limits.max_current_ua * SLACK
        assert 0 < train.phase_us <= limits.max_phase_us * SLACK
        assert phase_uc <= limits.max_charge_per_phase_uc * SLACK
        assert train_uc <= limits.max_charge_per_train_uc * SLACK
        assert net_uc <= limits.max_net_charge_uc * SLACK
        assert train.pulse_hz <= limits.max_pulse_hz * (1 + RATE_ROUNDING) * SLACK
        assert last_edge_s <= limits.max_train_s * SLACK
        assert all(isfinite(value) for value in (train.interphase_us, train.period_us, train.net_charge_uc))


def test_no_balanced_train_leaves_direct_current(lives: list[Delivered]) -> None:
    """Half a percent of the charge moved one way, the rounding of one code; stimulator reference, section 8."""
    for _, train in every_train(lives):
        if train.shape == "biphasic":
            one_way_uc = train.charge_per_phase_uc * train.n_pulses
            assert abs(train.net_charge_uc) <= 0.005 * one_way_uc * SLACK


def test_no_session_exceeds_its_charge_or_its_number_of_trains(lives: list[Delivered]) -> None:
    for life in lives:
        assert len(life.trains) <= life.limits.max_trains_per_session
        session_uc = sum(waveform(train)[2] for _, train in life.trains)
        assert session_uc <= life.limits.max_charge_per_session_uc * SLACK
        assert session_uc <= life.limits.max_charge_per_day_uc * SLACK


def test_no_train_comes_too_soon(lives: list[Delivered]) -> None:
    half_a_millisecond = 5e-4
    for life in lives:
        onsets_s = [onset_s for onset_s, _ in life.trains]
        for before_s, onset_s in pairwise(onsets_s):
            assert onset_s - before_s >= life.limits.min_interval_s - half_a_millisecond
        for ended_s in life.discharge_ends_s:
            due_s = ended_s + life.limits.lockout_after_afterdischarge_s - half_a_millisecond
            assert not [onset_s for onset_s in onsets_s if ended_s < onset_s < due_s]
