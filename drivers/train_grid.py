"""What every stimulator with a grid of 1 us and 1 uA asks of a train, and how far rounding may take it."""

from math import isfinite

from drivers.interface import DeviceRefused, PulseTrain

TOLERANCE = 0.01
"""Largest deviation of what is delivered from what was asked."""


def check_numbers(train: PulseTrain) -> None:
    """Raises ``DeviceRefused`` where ``train`` is not one at all."""
    numbers = (train.current_ua, train.phase_us, train.interphase_us, train.pulse_hz, train.train_s)
    if not all(map(isfinite, numbers)) or min(numbers) < 0 or train.phase_us == 0 or train.pulse_hz == 0:
        raise DeviceRefused(f"a train needs finite numbers, and more than 0 us and 0 Hz; asked was {train}")


def whole_us(what: str, asked_us: float) -> int:
    """The nearest microsecond. Raises ``DeviceRefused`` where that is too far off."""
    nearest = round(asked_us)
    _check_close(what, asked_us, nearest, "us")
    return nearest


def whole_period_us(pulse_hz: float) -> int:
    """The period of ``pulse_hz``, in whole us."""
    period_us = round(1e6 / pulse_hz)
    _check_close("pulse rate", pulse_hz, 1e6 / period_us if period_us else 0.0, "Hz")
    return period_us


def whole_ua(asked_ua: float, max_current_ua: float, most_ua: int, name: str) -> int:
    """The nearest microampere that lies within the cap; a request above the cap is refused, never cut to it."""
    if asked_ua > max_current_ua:
        raise DeviceRefused(f"train asks {asked_ua:g} uA; this {name}'s max_current_ua allows {max_current_ua:g} uA")
    nearest = round(asked_ua)
    # The one below is as true to the request as one that lies above the cap.
    if nearest > max_current_ua:
        nearest -= 1
    if not 1 <= nearest <= most_ua:
        raise DeviceRefused(
            f"train asks {asked_ua:g} uA; the {name} puts out whole uA from 1 to {most_ua}: ask for a current there"
        )
    return nearest


def check_fits(pulse_us: int, period_us: int, train: PulseTrain, margin_us: int) -> None:
    """Raises ``DeviceRefused`` where a pulse and ``margin_us`` do not fit into a period."""
    if pulse_us + margin_us > period_us:
        raise DeviceRefused(
            f"a pulse of {pulse_us} us does not fit {train.pulse_hz:g} Hz, a period of {period_us} us: "
            "ask for a shorter phase or a lower rate"
        )


def _check_close(what: str, asked: float, possible: float, unit: str) -> None:
    # A millionth forgives floating point, not quantisation.
    if abs(possible - asked) > TOLERANCE * asked * (1 + 1e-6):
        raise DeviceRefused(
            f"train asks a {what} of {asked:g} {unit}; the nearest possible is {possible:g} {unit}, "
            f"more than {TOLERANCE:.0%} off"
        )
