"""Sessions written row by row and sample by sample, so that a report has something known to show."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors.criterion import Afterdischarge, EndGrade, Kind, Verdict
from drivers.interface import Channel, DeliveredTrain, PulseTrain
from drivers.simulated.eeg import Background, discharge
from kindle.electrode import Electrode, charge_report
from kindle.exchange import Confirm, Confirmed, MeasuredTrain, Reply, Request, Stimulate, Trial, VoidTrial
from kindle.preset_reader import parameters
from kindle.presets import load_threshold_preset, resolve
from kindle.protocols.threshold import ThresholdOutcome
from kindle.recording import RecordingWriter
from kindle.rows import (
    Animal,
    Answered,
    Asked,
    RecordingClosed,
    RecordingStarted,
    SessionEnded,
    SessionInterrupted,
    SessionStarted,
    kind_of,
)
from kindle.safety import SafetyLimits
from kindle.study import Study, create_study, open_study

RATE_HZ = 1000.0
BEGUN = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)
CHANNELS = (
    Channel("Amygdala R", "eeg", "µV", 0.5),
    Channel("TTL", "stimulus_ttl", "V", 0.001),
    Channel("Current", "current_monitor", "µA", 0.05),
)
LIMITS = SafetyLimits(
    max_current_ua=950.0,
    max_phase_us=2000.0,
    max_pulse_hz=130.0,
    max_train_s=10.0,
    max_charge_per_phase_uc=1.0,
    max_net_charge_uc=50.0,
    max_charge_per_train_uc=1000.0,
    max_charge_per_session_uc=5000.0,
    max_charge_per_day_uc=10000.0,
    max_trains_per_session=60,
    min_interval_s=10.0,
    lockout_after_afterdischarge_s=60.0,
)
ELECTRODE = Electrode("stainless steel", 3.46e-3)
PRESET = load_threshold_preset(
    "hannover_ascending",
    {"max_ua": 900.0, "onset_window_s": 30.0, "lockout_after_ad_s": 14400.0, "train": {"shape": "biphasic"}},
)
PLAN = resolve(PRESET)

Evoked = Literal["nothing", "discharge", "two discharges", "unclear", "undelivered", "unseen"]


@dataclass(frozen=True, slots=True)
class Told:
    """One train of a story; ``answer`` is the experimenter's word on an unclear one."""

    current_ua: float
    evoked: Evoked = "nothing"
    answer: str = ""
    before_s: float = 12.0
    watch_s: float = 30.0


@contextmanager
def study_with(folder: Path, animal: Animal) -> Iterator[Study]:
    text = f'name = "Reported"\n[electrode]\nmaterial = "{ELECTRODE.material}"\narea_cm2 = {ELECTRODE.area_cm2}\n'
    create_study(folder, text)
    with open_study(folder) as study:
        study.add_animal(animal, BEGUN)
        yield study


class Teller:
    """Writes one session: journal rows and recordings as a rig would have left them."""

    def __init__(self, study: Study, animal: str, rate_hz: float = RATE_HZ) -> None:
        self.session = f"{animal}_20260304_093000_threshold"
        self._study = study
        self._animal = animal
        self._rate_hz = rate_hz
        self._now = BEGUN
        self._n_recordings = 0
        reports = (charge_report(PLAN.train.at(current_ua), ELECTRODE) for current_ua in PLAN.rungs_ua)
        self.write(
            SessionStarted(
                animal=animal,
                protocol="threshold",
                plan=PLAN,
                parameters=parameters(PRESET),
                limits=LIMITS,
                warnings=tuple(report for report in reports if report.warning),
                rig="told",
                software={"kindle-eeg": "0.1.0", "numpy": "2.3"},
            )
        )

    def write(self, row: msgspec.Struct, sample: int | None = None) -> None:
        self._study.journal.append(self.session, kind_of(row), row, sample=sample, utc=self._now)

    def ended(self, outcome: ThresholdOutcome) -> None:
        self.write(SessionEnded(outcome))

    def interrupted(self, reason: str, stop: str) -> None:
        self.write(SessionInterrupted(reason, stop))

    def recording(self, trains: Sequence[Told], *, unanswered: float | None = None, gap_after: int = 0) -> str:
        """A recording of ``trains``; after the first ``gap_after`` of them samples were lost."""
        self._n_recordings += 1
        name = f"recordings/{self._animal}/{self._n_recordings}_threshold"
        with RecordingWriter.create(self._study.folder / name, CHANNELS, self._rate_hz, self._now) as writer:
            names = tuple(channel.name for channel in CHANNELS)
            self.write(RecordingStarted(name, "NI USB-6343 0x1A2B", "Pulse Pal, firmware 21", self._rate_hz, names))
            for number, told in enumerate(trains):
                if gap_after and number == gap_after:
                    writer.new_segment(self._now)
                signal = _Signal(told, writer.n_samples, self._rate_hz)
                self._asked(Stimulate(PLAN.train.at(told.current_ua)), signal.onset - 40)
                writer.append(signal.counts, monotonic_ns=number, utc_ns=number)
                self._now += timedelta(seconds=told.before_s + told.watch_s + 1)
                self._answered(_reply(told, signal, name), writer.n_samples)
                if told.answer:
                    choices = ("stop", "repeat", "none", "afterdischarge")
                    self._asked(Confirm("What does the trace show?", choices), writer.n_samples)
                    self._answered(Confirmed(told.answer), writer.n_samples)
            if unanswered is not None:
                self._asked(Stimulate(PLAN.train.at(unanswered)), writer.n_samples)
            self.write(RecordingClosed(name, writer.n_samples))
        return name

    def _asked(self, request: Request, sample: int) -> None:
        self.write(Asked(request), sample)

    def _answered(self, reply: Reply, sample: int) -> None:
        self.write(Answered(reply), sample)


class _Signal:
    """The samples of one train, ``(n_channels, n_samples)`` in counts, and where in the recording things happen."""

    def __init__(self, told: Told, first: int, rate_hz: float) -> None:
        self.rate_hz = rate_hz
        train = PLAN.train.at(told.current_ua)
        n = round((told.before_s + train.train_s + told.watch_s) * rate_hz)
        begin, length = round(told.before_s * rate_hz), round(train.train_s * rate_hz)
        self.onset, self.train_end, self.last = first + begin, first + begin + length, first + n
        eeg = Background(rate_hz, seed=7).uv(first, n) + 30.0
        ttl, current = np.zeros(n), np.zeros(n)
        if told.evoked != "unseen":
            ttl[begin : begin + length] = 5.0
            factor = 0.0 if told.evoked == "undelivered" else 1.0
            current[begin : begin + length] = factor * _pulses(train, length, rate_hz)
            eeg[begin : begin + length] += 60 * current[begin : begin + length]
            eeg[begin + length :] += factor * 4000 * np.exp(-np.arange(n - begin - length) / (0.06 * rate_hz))
        self.events: list[Afterdischarge] = []
        if told.evoked in ("discharge", "two discharges"):
            self._discharge(eeg, first, begin + length + round(0.8 * rate_hz), 12.0, Kind.PRIMARY)
        if told.evoked == "two discharges":
            self._discharge(eeg, first, begin + length + round(18 * rate_hz), 6.0, Kind.SECONDARY)
        counts = [row / channel.resolution for row, channel in zip((eeg, ttl, current), CHANNELS, strict=True)]
        self.counts = np.clip(np.rint(counts), -32768, 32767).astype(np.int16)

    def _discharge(self, eeg: NDArray[np.float64], first: int, at: int, duration_s: float, kind: Kind) -> None:
        wave = discharge(np.random.default_rng(3), self.rate_hz, duration_s, 650.0)
        eeg[at : at + wave.uv.size] += wave.uv[: eeg.size - at]
        begun, ended = first + at + wave.first_spike, first + at + wave.last_spike
        self.events.append(Afterdischarge(begun, ended, kind, 52, 718.0, 4.2, 4.3, EndGrade.CLEAR, 0.97))


def _pulses(train: PulseTrain, length: int, rate_hz: float) -> NDArray[np.float64]:
    phase_s = train.phase_us * 1e-6
    within_s = (np.arange(length) / rate_hz) % (1 / train.pulse_hz)
    sign = np.where(within_s < phase_s - 1e-9, -1.0, np.where(within_s < 2 * phase_s - 1e-9, 1.0, 0.0))
    return train.current_ua * sign


def _reply(told: Told, signal: _Signal, recording: str) -> Trial | VoidTrial:
    train = PLAN.train.at(told.current_ua)
    if told.evoked == "unseen":
        reason = "the TTL shows no train within 1 s of the trigger and the current monitor shows no current"
        return VoidTrial(train, reason, False, None, recording, signal.onset + round(signal.rate_hz))
    if told.evoked == "undelivered":
        measured = MeasuredTrain(signal.onset, signal.train_end, 0.0, 0)
        reason = f"the current monitor shows no current where {told.current_ua:.4g} uA should flow"
        return VoidTrial(train, reason, False, measured, recording, signal.last)
    unclear = told.evoked == "unclear"
    evoked = Verdict.AFTERDISCHARGE if signal.events else Verdict.NONE
    after = signal.train_end
    blind = ((after, after + round(4.5 * signal.rate_hz)),) if unclear else ()
    return Trial(
        train=train,
        delivered=DeliveredTrain(
            current_ua=round(told.current_ua / 0.305) * 0.305,
            phase_us=train.phase_us,
            interphase_us=train.interphase_us,
            period_us=1e6 / train.pulse_hz,
            n_pulses=train.n_pulses,
            net_charge_uc=0.0,
            shape=train.shape,
            polarity=train.polarity,
        ),
        measured=MeasuredTrain(signal.onset, signal.train_end, told.current_ua * 1.004, train.n_pulses),
        verdict=Verdict.UNDETERMINED if unclear else evoked,
        reason="the amplifier was blind for 4.5 s after the train" if unclear else "",
        afterdischarges=tuple(signal.events),
        baseline_uv=142.0,
        blind=blind,
        channel=CHANNELS[0].name,
        rate_hz=signal.rate_hz,
        recording=recording,
        first_sample=signal.onset - round(told.before_s * signal.rate_hz),
        last_sample=signal.last,
    )
