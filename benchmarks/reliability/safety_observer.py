"""Stands beside the bench, sees the current and the animal, and knows a few rules: the truth of the safety model.

It uses none of the program's checks: only what the stimulator put out, when the animal discharged, what people and
programs did, and the numbers of the limits.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from benchmarks.reliability.safety_train import ROUNDING, FlowedTrain, beyond_limits, beyond_request, unbalanced
from drivers.interface import Abort, PulseTrain
from drivers.simulated.rat import SimulatedRat
from drivers.simulated.stimulator_output import StimulatorOutput
from kindle.safety import SafetyLimits

DAY_S = 86_400.0

SAMPLE_S = 1.5e-3
"""Intervals are counted in samples of 1 ms."""

END_S = 1.5
"""How much earlier than at its last spike a discharge may be taken to end: the last spikes are small and far apart."""

JUDGED_US = 10_000_000
"""After its last spike: the program may still be waiting whether it goes on."""

STOPPED_US = 50_000
"""From Stop to the last current."""

PROVEN_US = 5_000
"""From the answer that it stopped to the last current: a pulse that it completes, and bytes still on the line."""


@dataclass
class Discharge:
    """``life_s`` is when its last spike came, in the animal's time."""

    first_us: int
    last_us: int
    life_s: float
    in_sight: bool
    """Nothing has happened since its train for which the program may have missed it."""
    acknowledged: bool = False

    @property
    def length_s(self) -> float:
        return (self.last_us - self.first_us) * 1e-6


@dataclass
class Observer:
    """``limits`` are those in force; ``away_s`` is the time that passed beside the bench's clock ``now_us``."""

    output: StimulatorOutput
    rat: SimulatedRat
    limits: SafetyLimits
    now_us: Callable[[], int]
    alarm_after_s: float
    away_s: float = 0.0
    violations: list[str] = field(default_factory=list)
    stop_latencies_us: list[int] = field(default_factory=list)
    n_trains: int = 0
    asked: tuple[PulseTrain, ...] = ()
    """Trains any of which may come once something is triggered."""
    _due: tuple[PulseTrain, ...] = ()
    _seen_us: int = 0
    _train: FlowedTrain | None = None
    _stopped_us: int | None = None
    _stop_in_train: bool = False
    _sound_at_stop: bool = True
    _proven_us: int | None = None
    """Since when the stimulator has proven that it stopped."""
    _n_triggers: int = 0
    _n_fired: int | None = None
    _n_begun: int = 0
    """Trains since the program began."""
    _session_uc: list[float] = field(default_factory=list)
    _day: list[tuple[float, float]] = field(default_factory=list)
    """Of every train: its second of the animal's life, and its charge in uC."""
    _discharges: list[Discharge] = field(default_factory=list)
    _n_heard: int = 0
    _last_onset_s: float | None = None
    _in_sight: bool = True

    # What the model tells of people and programs.

    def new_animal(self, earlier_uc: float = 0.0) -> None:
        """One that had this charge today, and nothing else."""
        self.new_session()
        self._day, self._discharges, self._last_onset_s = [(self.life_s - 1.0, earlier_uc)], [], None

    def new_session(self) -> None:
        self.look()
        self._close()
        self._session_uc = []

    def begins(self, *, with_acts: bool) -> None:
        """A person starts a program: what was stopped before is over."""
        self.look()
        self._stopped_us = None
        self._n_triggers = self._n_begun = 0
        self._n_fired = 0 if with_acts else None

    def ends(self) -> None:
        """The program is no more: no stop that it still owes will come, and no trigger."""
        self.look()
        if self._stopped_us is not None and self._stop_in_train and self._train is not None:
            self.stop_latencies_us.append(max(0, self._train.end_us - self._stopped_us))
        self._stopped_us = None

    def pressed_fire(self) -> None:
        if self._n_fired is not None:
            self._n_fired += 1

    def pressed_stop(self, *, sound: bool) -> None:
        self.look()
        if self._stopped_us is None:
            self._stopped_us, self._sound_at_stop, self._stop_in_train = self.now_us(), sound, self.in_train
        self.loses_sight()

    def link_breaks(self) -> None:
        """A stop that is not proven by now may not get through any more."""
        if self._proven_us is None:
            self._sound_at_stop = False

    def triggered(self) -> None:
        self.look()
        self._n_triggers += 1
        self._due = self.asked
        self._proven_us = None
        self._in_sight = True

    def aborted(self, proof: Abort) -> None:
        self.look()
        if proof is Abort.CONFIRMED and self._proven_us is None:
            self._proven_us = self.now_us()

    def loses_sight(self) -> None:
        """A fault, a stop or a crash: what the animal does now the program may not see."""
        self._in_sight = False
        for discharge in self._discharges:
            if discharge.last_us > self.now_us() - JUDGED_US:
                discharge.in_sight = False

    def acknowledged(self) -> None:
        self.look()
        for discharge in self._discharges:
            discharge.acknowledged = True

    @property
    def life_s(self) -> float:
        return self.away_s + self.now_us() * 1e-6

    @property
    def in_train(self) -> bool:
        """Whether pulses are coming: the last one was less than 50 ms ago."""
        return self._train is not None and self.now_us() - self._train.end_us < 50_000

    def train_since(self, t_us: int) -> bool:
        self.look()
        return self._train is not None and self._train.onset_us >= t_us

    # What it sees by itself.

    def look(self) -> None:
        """At everything up to now."""
        now_us = self.now_us()
        if now_us > self._seen_us:
            steps = self.output.output(self._seen_us, now_us)
            begins_us = steps.times_us.tolist()
            for begin_us, end_us, ua in zip(begins_us, [*begins_us[1:], now_us], steps.ua.tolist(), strict=True):
                if ua:
                    self._flows(begin_us, end_us, ua)
            self._seen_us = now_us
        for heard in self.rat.heard[self._n_heard :]:
            if heard.discharge_us is not None:
                first_us, last_us = heard.discharge_us
                self._discharges.append(Discharge(first_us, last_us, self.away_s + last_us * 1e-6, self._in_sight))
        self._n_heard = len(self.rat.heard)
        if self._train is not None and self._pauses(self._train, now_us):
            self._close()

    def _pauses(self, train: FlowedTrain, until_us: int) -> bool:
        return until_us - train.end_us > self.limits.max_train_s * 1e6

    def _flows(self, begin_us: int, end_us: int, ua: float) -> None:
        if self._proven_us is not None and end_us > self._proven_us + PROVEN_US:
            self.found(f"current {(end_us - self._proven_us) * 1e-3:.1f} ms after it was confirmed that none flows")
        stopped_us = self._stopped_us
        if stopped_us is not None and self._sound_at_stop and end_us > stopped_us + STOPPED_US:
            self.found(f"current {(end_us - stopped_us) * 1e-3:.1f} ms after Stop")
        if self._train is not None and self._pauses(self._train, begin_us):
            self._close()
        if self._train is None:
            self._train = FlowedTrain(begin_us, ua, begin_us)
            self._begins(begin_us)
        self._train.flows(begin_us, end_us, ua)
        for name in beyond_limits(self._train, self.limits):
            self.found(f"a train beyond {name}: {self._train}")
        if all(beyond_request(self._train, asked) for asked in self._due):
            self.found(f"a train beyond what was asked for: {self._train}")
        session_uc = sum(self._session_uc) + self._train.charge_uc
        if session_uc > self.limits.max_charge_per_session_uc * ROUNDING + self._train.edges_uc:
            self.found(f"{session_uc:.6g} uC in a session")

    def _begins(self, onset_us: int) -> None:
        """A first pulse: may it come now?"""
        limits, at_s = self.limits, self.away_s + onset_us * 1e-6
        self.n_trains += 1
        self._n_begun += 1
        if self._n_begun > self._n_triggers:
            self.found("a train that no program triggered")
        if self._n_fired is not None and self._n_begun > self._n_fired:
            self.found("a train that nobody armed and fired")
        if self._stopped_us is not None and onset_us > self._stopped_us + PROVEN_US:
            self.found("a train after Stop")
        if self._last_onset_s is not None and at_s - self._last_onset_s < limits.min_interval_s - SAMPLE_S:
            self.found(f"a train {at_s - self._last_onset_s:.3f} s after the last one's onset")
        self._last_onset_s = at_s
        if len(self._session_uc) >= limits.max_trains_per_session:
            self.found(f"train number {len(self._session_uc) + 1} of a session")
        for discharge in self._discharges:
            if at_s - discharge.life_s < limits.lockout_after_afterdischarge_s - END_S:
                self.found(f"a train {at_s - discharge.life_s:.2f} s after the end of a discharge")
            if discharge.length_s > self.alarm_after_s + END_S and discharge.in_sight and not discharge.acknowledged:
                self.found("a train after an alarm that nobody acknowledged")

    def _close(self) -> None:
        """The last train is over: what only the whole of it shows."""
        train, self._train = self._train, None
        if train is None:
            return
        if unbalanced(train, self.limits):
            self.found(f"direct current of {train.net_uc:.4g} uC: {train}")
        at_s = self.away_s + train.onset_us * 1e-6
        self._session_uc.append(train.charge_uc)
        self._day.append((at_s, train.charge_uc))
        day_uc = sum(uc for when_s, uc in self._day if when_s > at_s - DAY_S)
        if day_uc > self.limits.max_charge_per_day_uc * ROUNDING + train.edges_uc:
            self.found(f"{day_uc:.6g} uC in 24 hours")

    def found(self, what: str) -> None:
        """The first one says enough: what follows it is its consequence as a rule."""
        if not self.violations:
            self.violations.append(what)
