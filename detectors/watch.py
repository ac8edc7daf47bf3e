"""One channel over a whole recording: its events in the order of their ticks, and what has been judged from them."""

from collections import deque
from dataclasses import dataclass, replace
from typing import Literal

from detectors.criterion import Criterion, Judgement, Seizure
from detectors.events import Blind, Discharge, Follower
from detectors.grading import confidence, ending
from detectors.judging import Before, Knowledge, Trial
from detectors.runs import Rules
from detectors.spikes import Spike
from detectors.ticks import Grid

BEFORE_S = 60.0
"""How far back spiking before a train is compared with what follows it."""
CHECK_TICKS = 25
"""A judgement becomes final at multiples of this many ticks, wherever blocks end."""
REMEMBERED_BLIND = 500


@dataclass(frozen=True, slots=True)
class TrainBegins:
    sample: int
    baseline_uv: float


@dataclass(frozen=True, slots=True)
class TrainEnds:
    sample: int


@dataclass(frozen=True, slots=True)
class Blindness:
    """Begins, or ends, at ``sample``; ``gone`` once samples or the electrode are missing in it."""

    state: Literal["begins", "gone", "ends"]
    sample: int


Event = Spike | TrainBegins | TrainEnds | Blindness | Blind


@dataclass(frozen=True, slots=True)
class Live:
    """A channel now, for a display; samples are absolute."""

    in_discharge: bool
    """Whether the last discharge meets the criterion and may still go on."""
    onset_sample: int | None
    last_spike_sample: int | None
    n_spikes: int
    spike_hz: float
    baseline_uv: float


class Watch:
    """Memory is bounded: spikes are condensed at once, only discharges and judgements are kept."""

    def __init__(self, criterion: Criterion, grid: Grid, delay_samples: float) -> None:
        self.judged: list[Judgement] = []
        self._grid = grid
        self._delay = delay_samples
        self._rules = Rules(criterion, grid.rate_hz)
        scanning = replace(criterion, min_duration_s=criterion.seizure_min_duration_s)
        self._follower = Follower(Rules(scanning, grid.rate_hz))
        self._scanning: Follower | None = self._follower
        self._trial: Trial | None = None
        self._blind_since: int | None = None
        self._gone = False
        self._next_check = CHECK_TICKS
        self._high_spikes: deque[int] = deque(maxlen=1000)
        # A rhythm of the baseline is looked for a little below the criterion, so that chance does not decide.
        similar = replace(criterion, amplitude_ratio=0.75 * criterion.amplitude_ratio)
        self._rhythm = Follower(Rules(similar, grid.rate_hz))
        self._runs: deque[tuple[int, float, float]] = deque(maxlen=64)

    def advance(self, events: list[tuple[int, Event]], tick: int) -> None:
        """Take in ``events``, all those before ``tick`` in order, and let become final what can."""
        for at, event in events:
            self._check(at)
            self._take(event)
        self._check(tick)

    def judgements(self, tick: int) -> list[Judgement]:
        if self._trial is None:
            return list(self.judged)
        now = self._trial.judge(self._known(tick))
        return [*self.judged, replace(now, final=False)]

    def finish(self, remaining: list[Event], n_samples: int) -> None:
        for event in remaining:
            self._take(event)
        if self._blind_since is not None:
            self._end_blindness(n_samples)
        self._end_trial(n_samples, "the recording ends")

    def live(self, tick: int, baseline_uv: float) -> Live:
        follower, horizon = self._follower, self._sample(tick)
        discharge = follower.open_discharge()
        if discharge is None or follower.is_over(discharge, horizon, self._blind_since):
            return Live(False, None, None, 0, 0.0, baseline_uv)
        return Live(
            in_discharge=discharge.meets(self._rules),
            onset_sample=discharge.first.spike.sample,
            last_spike_sample=discharge.last.spike.sample,
            n_spikes=discharge.tally.n,
            spike_hz=(discharge.tally.n - discharge.n_runs) / max(1.0, discharge.spiking) * self._grid.rate_hz,
            baseline_uv=baseline_uv,
        )

    def discharge_spans(self) -> list[tuple[int, int]]:
        """Discharges that meet the criterion, from the last train or the beginning on."""
        latest = self._follower.open_discharge()
        return [
            (d.first.spike.sample, d.last.spike.sample)
            for d in [*self._follower.closed, *([latest] if latest else [])]
            if d.meets(self._rules)
        ]

    def seizures(self, tick: int, baseline_uv: float, *, ended: bool) -> list[Seizure]:
        """Discharges without a train that are over, or cut by the end of the recording."""
        follower = self._scanning
        if follower is None:
            return []
        horizon = self._sample(tick)
        found = list(follower.closed)
        latest = follower.open_discharge()
        if latest and (ended or follower.is_over(latest, horizon, self._blind_since)):
            found.append(latest)
        return [self._seizure(follower, d, horizon, baseline_uv, ended=ended) for d in found if d.meets(follower.rules)]

    def _take(self, event: Event) -> None:
        match event:
            case Spike():
                counts = self._follower.add(event)
                if counts and event.ratio >= self._rules.criterion.amplitude_ratio:
                    self._high_spikes.append(event.sample)
                self._rhythm.add(event)
                if run := self._rhythm.ended_run:
                    self._runs.append(run)
                    self._rhythm.ended_run = None
            case Blind():
                self._follower.add_blind(event)
                self._rhythm.add_blind(event)
                self._forget_blindness()
            case Blindness(state="begins"):
                self._blind_since, self._gone = event.sample, False
            case Blindness(state="gone"):
                self._gone = True
            case Blindness():
                self._end_blindness(event.sample)
            case TrainBegins():
                self._begin_trial(event)
            case TrainEnds():
                if self._trial:
                    self._trial.end_sample = event.sample

    def _end_blindness(self, sample: int) -> None:
        if self._blind_since is not None and sample > self._blind_since:
            self._follower.add_blind(Blind(self._blind_since, sample, self._gone))
            self._rhythm.add_blind(Blind(self._blind_since, sample, self._gone))
        self._blind_since, self._gone = None, False
        self._forget_blindness()

    def _forget_blindness(self) -> None:
        for follower in (self._rhythm, self._follower) if self._trial is None else (self._rhythm,):
            del follower.blind[:-REMEMBERED_BLIND]
            del follower.covered[:-REMEMBERED_BLIND]

    def _begin_trial(self, train: TrainBegins) -> None:
        # Runs of the discharge that the last train evoked are no rhythm of the baseline.
        evoked = self.discharge_spans() if self._scanning is None else []
        self._end_trial(train.sample, "the next train begins")
        since = train.sample - BEFORE_S * self._grid.rate_hz
        run = self._rhythm.run
        if run is not None and run.last is not None and run.credible:
            self._runs.append((run.last.spike.sample, run.spiking, run.level_uv))
        runs = tuple(
            (spiking, level)
            for end, spiking, level in self._runs
            if end >= since and not any(first <= end <= last for first, last in evoked)
        )
        n_high = sum(
            sample >= since and not any(first <= sample <= last for first, last in evoked)
            for sample in self._high_spikes
        )
        seconds = min(BEFORE_S, max(1.0, train.sample / self._grid.rate_hz))
        self._scanning = None
        self._follower = Follower(self._rules)
        self._trial = Trial(train.sample, None, train.baseline_uv, Before(n_high / seconds, runs), self._follower)
        if self._blind_since is not None:
            self._blind_since = max(self._blind_since, train.sample)

    def _end_trial(self, sample: int, why: str) -> None:
        if self._trial is not None:
            self._settle(self._trial.judge(Knowledge(sample, self._blind_since, why)))

    def _settle(self, judgement: Judgement) -> None:
        self.judged.append(judgement)
        self._trial = None
        self._forget_blindness()

    def _check(self, tick: int) -> None:
        """Finality is decided at fixed ticks: asking more or less often must not change it."""
        while self._trial is not None and self._next_check <= tick:
            if (judgement := self._trial.judge(self._known(self._next_check))).final:
                self._settle(judgement)
            self._next_check += CHECK_TICKS
        if self._next_check <= tick:
            self._next_check = (tick // CHECK_TICKS + 1) * CHECK_TICKS

    def _known(self, tick: int) -> Knowledge:
        return Knowledge(self._sample(tick), self._blind_since, None)

    def _sample(self, tick: int) -> int:
        """Spikes before this sample are known once all ticks before ``tick`` are."""
        return max(0, int(tick * self._grid.tick_samples - self._delay))

    def _seizure(
        self, follower: Follower, discharge: Discharge, horizon: int, baseline_uv: float, *, ended: bool
    ) -> Seizure:
        median_ratio = discharge.tally.median_ratio()
        grade = ending(follower, discharge, horizon, signal_ended=ended, baseline_uv=baseline_uv).grade
        return Seizure(
            onset_sample=discharge.first.spike.sample,
            end_sample=discharge.last.spike.sample,
            n_spikes=discharge.tally.n,
            peak_uv=discharge.tally.peak_uv,
            median_ratio=median_ratio,
            spike_hz=(discharge.tally.n - discharge.n_runs) / discharge.spiking * self._grid.rate_hz,
            end_grade=grade,
            confidence=confidence(discharge, follower, grade, 0.0),
        )
