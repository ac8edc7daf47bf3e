"""What the TTL and the current monitor say of a train: delivered as asked, or why not, in one sentence."""

import numpy as np
import pytest
from msgspec import structs
from numpy.typing import NDArray

from drivers.delivery_report import DeliveryReport
from drivers.interface import DeliveredTrain, PulseTrain
from kindle.delivery import MonitorTrace, discrepancy, measure
from kindle.exchange import MeasuredTrain

RATE_HZ = 5000.0
ASKED = PulseTrain(current_ua=400.0, phase_us=1000.0, interphase_us=0.0, pulse_hz=50.0, train_s=1.0)
DELIVERED = DeliveredTrain.as_asked(ASKED)
MONOPHASIC = DeliveredTrain.as_asked(structs.replace(ASKED, shape="monophasic"))
A_PHASE = round(ASKED.phase_us * 1e-6 * RATE_HZ)
PERIOD = round(RATE_HZ / ASKED.pulse_hz)


def monitor(*, biphasic: bool = True, noise_ua: float = 0.0) -> NDArray[np.float64]:
    """The current of ``DELIVERED`` as an ideal monitor shows it, ``(n_samples,)`` in uA."""
    period = np.zeros(PERIOD)
    period[:A_PHASE] = -ASKED.current_ua
    if biphasic:
        period[A_PHASE : 2 * A_PHASE] = ASKED.current_ua
    noise = np.random.default_rng(1).uniform(-noise_ua, noise_ua, PERIOD * ASKED.n_pulses)
    return np.tile(period, ASKED.n_pulses) + noise


def measured(
    current_ua: NDArray[np.float64], delivered: DeliveredTrain = DELIVERED, *, noise_ua: float = 1.0
) -> MeasuredTrain:
    return measure(0, round(RATE_HZ), MonitorTrace(0, current_ua, noise_ua), delivered, RATE_HZ)


def told(current_ua: NDArray[np.float64], delivered: DeliveredTrain = DELIVERED, *, noise_ua: float = 1.0) -> str:
    return discrepancy(delivered, measured(current_ua, delivered, noise_ua=noise_ua), RATE_HZ)


def test_a_train_as_asked_is_measured_phase_by_phase() -> None:
    found = measured(monitor())
    assert found == MeasuredTrain(0, 5000, 400.0, 50, lowest_ua=400.0, n_opposite=50, opposite_ua=400.0)
    assert discrepancy(DELIVERED, found, RATE_HZ) == ""
    assert told(monitor(biphasic=False), MONOPHASIC) == ""


@pytest.mark.parametrize("noise_ua", [1.0, 20.0, 60.0])
def test_noise_alone_speaks_against_no_train(noise_ua: float) -> None:
    """Up to a sixth of the current, from which on a train cannot be told from the noise at all."""
    assert told(monitor(noise_ua=noise_ua), noise_ua=noise_ua) == ""


def test_an_isolator_that_ran_out_of_voltage_is_named() -> None:
    """400 uA into 100 kohm became 136 uA; stimulator reference, section 3."""
    assert told(np.clip(monitor(), -136, 136)) == (
        "the current monitor shows 136 uA where 400 uA should flow; the isolator may have run out of voltage: check "
        "electrode, wires and compliance"
    )


def test_one_weak_pulse_among_many_is_found() -> None:
    current_ua = monitor()
    current_ua[PERIOD * 7 : PERIOD * 7 + A_PHASE] *= 0.7
    assert told(current_ua).startswith("the current monitor shows a pulse of 280 uA where 400 uA should flow in each")


def test_a_phase_that_is_missing_or_weaker_on_one_side_is_found() -> None:
    missing, weaker = monitor(), monitor()
    missing[-PERIOD + A_PHASE :] = 0.0
    weaker[weaker > 0] *= 0.8
    assert "shows 49 phases of the opposite sign where 50 should come" in told(missing)
    assert "320 uA in the opposite phases where 400 uA should flow: the train was not balanced" in told(weaker)
    assert "50 phases of the opposite sign where 0 should come" in told(monitor(), MONOPHASIC)


def test_a_current_that_is_too_strong_is_not_blamed_on_compliance() -> None:
    assert told(1.2 * monitor()) == "the current monitor shows 480 uA where 400 uA should flow"


def test_pulses_are_counted() -> None:
    current_ua = monitor()
    current_ua[: 2 * A_PHASE] = 0.0
    assert told(current_ua) == "the current monitor shows 49 pulses where 50 should come"


def test_nothing_is_said_of_phases_that_the_samples_do_not_resolve() -> None:
    coarse = measure(0, 1000, MonitorTrace(0, monitor()[::5], 1.0), DELIVERED, 1000.0)
    assert (coarse.lowest_ua, coarse.n_opposite, coarse.opposite_ua) == (None, None, None)
    assert coarse.n_pulses == 50


def test_what_the_stimulator_measured_itself_counts_too() -> None:
    complaint = "the StimJim measured 136 uA where 400 uA should flow"
    report = DeliveryReport(50, (136.0, -136.0), complaint)
    unmonitored = MeasuredTrain(0, 5000, None, None, reported=report)
    assert discrepancy(DELIVERED, unmonitored, RATE_HZ) == complaint
    assert discrepancy(DELIVERED, structs.replace(unmonitored, reported=None), RATE_HZ) == ""
