"""What was commanded, what the instrument made of it, and what the recorded channels show, side by side."""

from drivers.interface import DeliveredTrain, PulseTrain
from kindle.calibration import Calibration
from kindle.exchange import MeasuredTrain, Trial
from kindle.report.markup import NOTHING, Html, element, escaped, joined, section, table
from kindle.report.trains import Train
from kindle.report.wording import MISSING, number, typeset
from kindle.rows import SessionStarted

_COLUMNS = (
    "train",
    "",
    "current µA",
    "weakest pulse µA",
    "opposite phases µA",
    "pulses",
    "opposite phases",
    "Hz",
    "phase µs",
    "train s",
    "direct current µC",
    "delivery",
)


def delivery_section(series: list[Train], started: SessionStarted, rate_hz: dict[str, float]) -> Html:
    """``rate_hz`` is the sampling rate of each recording by its folder. Empty where no train was answered."""
    rows = [row for train in series if train.reply is not None for row in _rows(train, rate_hz)]
    if not rows:
        return NOTHING
    return section(
        "Delivery",
        table(_COLUMNS, rows, class_="numbers"),
        element(
            "p",
            joined(
                escaped(
                    "Commanded: what the protocol asked for. Quantised: what the stimulator said it would put out. "
                    "Measured: onset and end on the recorded TTL, current and pulses on the recorded current monitor; "
                    f"{MISSING} is what no wired channel resolves. A train whose rows disagree is void."
                ),
                escaped(_calibration(started.calibration)),
            ),
            class_="quiet",
        ),
    )


def _rows(train: Train, rate_hz: dict[str, float]) -> list[tuple[str, ...]]:
    reply = train.reply
    if reply is None:
        return []
    verdict = "as commanded" if isinstance(reply, Trial) else f"void: {typeset(reply.reason)}"
    rows = [(str(train.number), "commanded", *_commanded(train.asked), "")]
    if reply.delivered is not None:
        rows.append(("", "quantised", *_quantised(reply.delivered), ""))
    rate = reply.rate_hz if isinstance(reply, Trial) else rate_hz.get(reply.recording)
    rows.append(("", "measured", *_measured(reply.measured, rate), verdict))
    return rows


def _commanded(train: PulseTrain) -> tuple[str, ...]:
    opposite = train.n_phases == 2
    return (
        number(train.current_ua),
        number(train.current_ua),
        number(train.current_ua) if opposite else MISSING,
        str(train.n_pulses),
        str(train.n_pulses if opposite else 0),
        number(train.pulse_hz, 5),
        number(train.phase_us),
        number(train.train_s),
        number(train.net_charge_uc, 3),
    )


def _quantised(delivered: DeliveredTrain) -> tuple[str, ...]:
    opposite = delivered.shape == "biphasic"
    current = number(delivered.current_ua, 5)
    return (
        current,
        current,
        current if opposite else MISSING,
        str(delivered.n_pulses),
        str(delivered.n_pulses if opposite else 0),
        number(delivered.pulse_hz, 5),
        number(delivered.phase_us),
        number(delivered.train_s),
        number(delivered.net_charge_uc, 3),
    )


def _measured(measured: MeasuredTrain | None, rate_hz: float | None) -> tuple[str, ...]:
    if measured is None:
        return (MISSING,) * 9
    length_s = None if rate_hz is None else (measured.end_sample - measured.onset_sample) / rate_hz
    return (
        number(measured.current_ua),
        number(measured.lowest_ua),
        number(measured.opposite_ua),
        _count(measured.n_pulses),
        _count(measured.n_opposite),
        MISSING,
        MISSING,
        number(length_s),
        MISSING,
    )


def _count(n: int | None) -> str:
    return MISSING if n is None else str(n)


def _calibration(calibration: Calibration | None) -> str:
    if calibration is None:
        return ""
    return (
        f"Isolator: {calibration.ua_per_v:.5g} µA for each volt, measured {calibration.date} by {calibration.author} "
        f"into {calibration.load_ohm:g} Ω."
    )
