"""Is a rig fit for an animal? Its file, its instruments, ten seconds of its signals, and a train into a resistor."""

import time
from collections.abc import Callable, Iterator
from datetime import date

import numpy as np
from numpy.typing import NDArray

from drivers.delivery_report import SelfMeasuring
from drivers.interface import Abort, Channel, DriverError, PulseTrain
from kindle.assembly import Instruments, assembled
from kindle.delivery import lasting_ua
from kindle.dial_question import dial_text
from kindle.dummy_load import dummy_train, fired_into_dummy
from kindle.errors import KindleError
from kindle.exchange import VoidTrial
from kindle.finding import Finding, failed, note, ok
from kindle.rig_config import RigConfig, require_calibration
from kindle.stimulator_config import VoltageCommanded
from kindle.stream import Rows

CLOCK_TOLERANCE = 0.02
TTL_LOW_V = 0.8
TTL_LOW = 0.3
"""Of a line that has no unit."""

RAIL_SHARE = 0.001
"""Of the samples at a rail: more, and the amplifier is overdriven or its input is open."""


def checked(
    config: RigConfig,
    today: date,
    *,
    seconds: float = 10.0,
    fire_ua: float | None = None,
    ask: Callable[[str], str] | None = None,
) -> Iterator[Finding]:
    """Each finding as it comes; instruments are found to fail, and the check ends where nothing more can be told.

    ``fire_ua`` sends one train of this current into the resistor at the electrode's place. ``ask`` answers for the dial
    of a stimulator that is set by hand, before anything is opened.
    """
    yield ok("rig file", f"rig {config.name!r}, {config.daq.device} at {config.daq.rate_hz:g} Hz")
    yield from _calibration(config, today)
    train = None if fire_ua is None else dummy_train(config, fire_ua)
    shown = ask(dial_text(train)) if train is not None and ask is not None and config.asks_for_dial else ""
    try:
        with assembled(config, "dummy load") as instruments:
            yield ok("stimulator", instruments.stimulator.identify())
            yield ok("acquisition", instruments.source.identify())
            instruments.source.start()
            yield from _signals(config, instruments, seconds)
            instruments.dial.answered_by(lambda text: shown)
            if train is None:
                yield note("train", "none was fired; put a resistor in place of the electrode and use --fire")
            else:
                yield from _delivery(config, instruments, train)
            yield _stop(instruments)
    except (DriverError, KindleError) as error:
        yield failed("rig", ". ".join(dict.fromkeys((str(error), *getattr(error, "__notes__", ())))))


def _calibration(config: RigConfig, today: date) -> Iterator[Finding]:
    try:
        require_calibration(config, today)
    except KindleError as error:
        yield failed("calibration", str(error))
        return
    if not isinstance(config.stimulator, VoltageCommanded):
        yield ok("calibration", "not needed: the stimulator sets a current, or a person does")
    elif (measured := config.calibration) is not None:
        yield ok("calibration", f"{measured.ua_per_v:.5g} uA for each volt, {measured.date}, by {measured.author}")


def _signals(config: RigConfig, instruments: Instruments, seconds: float) -> Iterator[Finding]:
    source = instruments.source
    n_samples = round(seconds * source.rate_hz)
    blocks: list[NDArray[np.int16]] = []
    source.read(instruments.block)  # the first read waits for the board's start as well
    began_s = time.monotonic()
    while (missing := n_samples - sum(block.shape[1] for block in blocks)) > 0:
        blocks.append(source.read(min(missing, instruments.block)))
    took_s = time.monotonic() - began_s
    signal = np.concatenate(blocks, axis=1)
    told = f"{signal.shape[1]} samples of {signal.shape[0]} channels at {source.rate_hz:.6g} Hz, none lost"
    if config.bench is not None and config.bench.clock == "demand":
        yield ok("sampling", f"{told}; emulated, so the clock was not compared")
    elif abs(took_s / seconds - 1) > CLOCK_TOLERANCE + config.daq.block_s / seconds:
        yield failed("sampling", f"{told}, but {seconds:g} s of them took {took_s:.2f} s; check the rate and the load")
    else:
        yield ok("sampling", f"{told}, in {took_s:.2f} s of the computer's clock")
    rows = Rows.of(source.channels)
    if rows.monitor is None:
        own_word = isinstance(instruments.stimulator, SelfMeasuring)
        then = "the stimulator's own word is all there is" if own_word else "nobody will know whether current flowed"
        yield note("monitor", f"no current monitor is wired: {then}")
    for channel, counts in zip(source.channels, signal, strict=True):
        yield _channel(config, channel, counts)


def _channel(config: RigConfig, channel: Channel, counts: NDArray[np.int16]) -> Finding:
    item = channel.name
    value = counts * channel.resolution
    low, high = channel.rail_counts
    at_rail = float(np.mean((counts <= low) | (counts >= high)))
    spread, middle = float(np.std(value)), float(np.median(value))
    match channel.role:
        case "stimulus_ttl":
            if float(value.max()) > (TTL_LOW_V if channel.unit == "V" else TTL_LOW):
                return failed(item, "the TTL is not low at rest; check its wire and what else drives it")
            return ok(item, f"low, {middle:.3g} {channel.unit}")
        case "current_monitor":
            told = f"{middle:.3g} {channel.unit} at rest, noise {float(np.abs(value - middle).max()):.3g}"
            if (shown_ua := _most_at_rest_ua(value, config)) is not None:
                return failed(
                    item,
                    f"{told}, up to {shown_ua:.3g} where rest_limit_ua allows {config.rest_limit_ua:g}: current is "
                    "flowing, or the monitor has to be zeroed",
                )
            return ok(item, f"{told}; rest_limit_ua allows {config.rest_limit_ua:g}")
        case "eeg" if at_rail > RAIL_SHARE:
            return failed(item, f"{at_rail:.1%} of the samples are at the rail; check electrode, gain and range")
        case "eeg" if np.ptp(counts) <= 1:
            return failed(item, "the signal is flat; check the amplifier and its wire")
        case _:
            return ok(item, f"standard deviation {spread:.4g} {channel.unit}, median {middle:.4g}")


def _most_at_rest_ua(monitor_ua: NDArray[np.floating], config: RigConfig) -> float | None:
    """What a session would be stopped for, second by second."""
    rate_hz = config.daq.rate_hz
    seconds = np.array_split(monitor_ua, max(1, round(monitor_ua.size / rate_hz)))
    shown = [lasting_ua(second_ua.astype(np.float64), config.rest_limit_ua, rate_hz) for second_ua in seconds]
    return max((shown_ua for shown_ua in shown if shown_ua is not None), default=None)


def _delivery(config: RigConfig, instruments: Instruments, train: PulseTrain) -> Iterator[Finding]:
    (trial,) = fired_into_dummy(instruments, config.limits, [train])
    if isinstance(trial, VoidTrial):
        yield failed("train", f"{train.current_ua:.4g} uA were asked: {trial.reason}")
        return
    delivered, measured = trial.delivered, trial.measured
    shown = "not measured" if measured.current_ua is None else f"{measured.current_ua:.4g} uA measured"
    pulses = "not counted" if measured.n_pulses is None else f"{measured.n_pulses} counted"
    if measured.reported is not None:
        own_ua = " and ".join(f"{ua:.4g}" for ua in measured.reported.phase_ua)
        shown += f", {own_ua} uA a phase by the stimulator's own measurement"
    yield ok(
        "train",
        f"{train.current_ua:.4g} uA asked, {delivered.current_ua:.4g} uA quantised, {shown}; "
        f"{train.n_pulses} pulses asked, {pulses}; net charge {delivered.net_charge_uc:.3g} uC",
    )


def _stop(instruments: Instruments) -> Finding:
    if instruments.stimulator.abort() is Abort.CONFIRMED:
        return ok("stop", "the stimulator confirms that it has stopped")
    return failed("stop", "the stimulator does not confirm a stop; look at its display and its cable")
