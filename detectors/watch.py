"""One channel over a whole recording: its events in the order of their ticks, and what has been judged from them."""

from collections import deque
from dataclasses import dataclass, replace
from typing import Literal

from detectors.confidence import confidence, evidence
from detectors.criterion import Criterion, Judgement, Seizure
from detectors.discharge import Discharge
from detectors.follower import Blind, Follower
from detectors.grading import ending
from detectors.grid import Grid
from detectors.judging import Before, Knowledge, Trial
from detectors.runs import Rules
from detectors.spikes import Spike

BEFORE_S = 60.0
"""How far back spiking before a train is compared with what follows it."""
CHECK_TICKS = 25
"""A judgement becomes final at multiples of this many ticks, wherever blocks end."""
REMEMBERED_BLIND = 500
REMEMBERED_SPIKES = 600
REMEMBERED_EVOKED = 20
RHYTHM_RATIO = 0.75
"""A rhythm of the baseline is looked for a little below the criterion, so that chance does not decide."""
SMALLEST_RATIO = 0.65
"""Of the criterion's: smaller deflections do not even speak against a discharge."""
NEVER = 1 << 62


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
Queued = tuple[int, int, Event]
"""Its tick, its rank among the events of that tick, and the event."""


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

    def __init__(self, criterion: Criterion, grid: Grid) -> None:
        self.judged: list[Judgement] = []
        self.next_check = NEVER
        """Before this tick nothing can become final without a further event."""
        self._grid = grid
        self._rules = Rules(criterion, grid.rate_hz)
        scanning = replace(criterion, min_duration_s=criterion.seizure_min_duration_s)
        self._follower = Follower(Rules(scanning, grid.rate_hz))
        self._scanning: Follower | None = self._follower
        self._trial: Trial | None = None
        self._blind_since: int | None = None
        self._gone = False
        self._rhythm_rules = Rules(
            replace(criterion, amplitude_ratio=RHYTHM_RATIO * criterion.amplitude_ratio), grid.rate_hz
        )
        self._least_ratio = RHYTHM_RATIO * criterion.amplitude_ratio
        self._recent: deque[tuple[Spike | Blind, bool]] = deque(maxlen=REMEMBERED_SPIKES)
        """What the time before a train may have to be judged by, and whether it was a spike that counted."""
        self._evoked: list[tuple[int, int]] = []

    def advance(self, events: list[Queued], tick: int) -> None:
        """Take in ``events``, all those before ``tick`` in order, and let become final what can."""
        for at, _, event in events:
            if at >= self.next_check:
                self._check(at)
            self._take(event)
        self._check(tick)

    def judgements(self, tick: int) -> list[Judgement]:
        if self._trial is None:
            return list(self.judged)
        now = self._trial.judge(self._known(tick))
        return [*self.judged, replace(now, final=False)]

    def finish(self, remaining: list[Queued], n_samples: int) -> None:
        for _, _, event in remaining:
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
        if isinstance(event, Spike):
            if event.ratio >= self._least_ratio:
                self._recent.append((event, self._follower.add(event)))
            elif self._follower.in_run:
                self._follower.add(event)
            return
        match event:
            case Blind():
                self._note_blind(event)
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
            self._note_blind(Blind(self._blind_since, sample, self._gone))
        self._blind_since, self._gone = None, False

    def _note_blind(self, blind: Blind) -> None:
        self._follower.add_blind(blind)
        self._recent.append((blind, False))
        self._forget_blindness()

    def _forget_blindness(self) -> None:
        if self._trial is None:
            del self._follower.blind[:-REMEMBERED_BLIND]
            del self._follower.covered[:-REMEMBERED_BLIND]

    def _begin_trial(self, train: TrainBegins) -> None:
        # Spikes of discharges that trains evoked are no rhythm of the baseline.
        if self._scanning is None:
            self._evoked = [*self._evoked, *self.discharge_spans()][-REMEMBERED_EVOKED:]
        self._end_trial(train.sample, "the next train begins")
        before = self._before(train.sample)
        self._scanning = None
        self._follower = Follower(self._rules)
        self._trial = Trial(train.sample, None, train.baseline_uv, before, self._follower)
        self.next_check = train.sample // self._grid.tick_samples
        if self._blind_since is not None:
            self._blind_since = max(self._blind_since, train.sample)

    def _before(self, train: int) -> Before:
        """Spikes and runs of the last minute before ``train``, those of discharges that trains evoked left out."""
        since = train - BEFORE_S * self._grid.rate_hz
        rhythm = Follower(self._rhythm_rules)
        runs: list[tuple[int, float, float]] = []
        n_high = 0
        # Twice the time that counts, so that a run which reaches into it is seen from its beginning.
        earliest = train - 2 * BEFORE_S * self._grid.rate_hz
        for event, counted in self._recent:
            if (event.last if isinstance(event, Blind) else event.sample) < earliest:
                continue
            if isinstance(event, Blind):
                rhythm.add_blind(event)
                continue
            if any(first <= event.sample <= last for first, last in self._evoked):
                continue
            rhythm.add(event)
            if rhythm.ended_run is not None:
                runs.append(rhythm.ended_run)
                rhythm.ended_run = None
            n_high += counted and event.ratio >= self._rules.criterion.amplitude_ratio and event.sample >= since
        run = rhythm.run
        if run is not None and run.last is not None and run.credible:
            runs.append((run.last.spike.sample, run.spiking, run.level_uv))
        alike = tuple((spiking, level) for end, spiking, level in runs if end >= since)
        seconds = min(BEFORE_S, max(1.0, train / self._grid.rate_hz))
        return Before(n_high / seconds, alike)

    def _end_trial(self, sample: int, why: str) -> None:
        if self._trial is not None:
            self._settle(self._trial.judge(Knowledge(sample, self._blind_since, why)))

    def _settle(self, judgement: Judgement) -> None:
        self.judged.append(judgement)
        self._trial = None
        self.next_check = NEVER
        self._forget_blindness()

    def _check(self, tick: int) -> None:
        """Finality is decided at fixed ticks: asking more or less often must not change it."""
        while self._trial is not None and self.next_check <= tick:
            # The first fixed tick from here on; the judge says how long nothing can change by time alone.
            at = max(CHECK_TICKS, -(-self.next_check // CHECK_TICKS) * CHECK_TICKS)
            if at > tick:
                self.next_check = at
                return
            known = self._known(at)
            if (judgement := self._trial.judge(known)).final:
                self._settle(judgement)
            else:
                open_until = self._trial.open_until(known, judgement)
                self.next_check = max(at + CHECK_TICKS, int(open_until / self._grid.tick_samples))

    def _known(self, tick: int) -> Knowledge:
        return Knowledge(self._sample(tick), self._blind_since, None)

    def _sample(self, tick: int) -> int:
        """Spikes before this sample are known once all ticks before ``tick`` are."""
        return tick * self._grid.tick_samples

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
            confidence=confidence(evidence(discharge, follower, 0.0)),
        )
