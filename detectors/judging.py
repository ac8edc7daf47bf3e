"""One channel after one train: what its discharges, and its blindness, say about an afterdischarge."""

from dataclasses import dataclass
from math import isfinite, nan

from detectors.confidence import confidence, evidence
from detectors.criterion import Afterdischarge, Judgement, Kind, Stimulus, Verdict
from detectors.discharge import Discharge
from detectors.follower import Follower
from detectors.grading import earliest_onset, ending

UNLIKELY, DOUBTFUL = 0.1, 0.3
"""Confidence below which a discharge is not called."""
NOT_NEW = 0.1
"""Of the rate of spikes in a discharge: with so many before the train, doubt is a reason not to call it evoked."""


@dataclass(frozen=True, slots=True)
class Before:
    """Spiking before the train: a rhythm that was there already is no afterdischarge."""

    spike_hz: float
    runs: tuple[tuple[float, float], ...]
    """Length in samples and amplitude in uV of each run of spikes."""

    def n_alike(self, discharge: Discharge) -> int:
        """Runs before the train that were nearly as long and as large as the longest of ``discharge``."""
        return sum(
            spiking >= 0.5 * discharge.longest_run and level >= 0.7 * discharge.level_uv for spiking, level in self.runs
        )


@dataclass(frozen=True, slots=True)
class Knowledge:
    """The signal is known up to ``horizon``; it is blind there since ``blind_since``; ``ended`` if no more comes."""

    horizon: int
    blind_since: int | None
    ended: str | None
    """What ended it: "the recording ends", "the next train begins"."""


@dataclass(slots=True)
class Trial:
    """What is followed of one channel from the train on. ``end_sample`` is ``None`` while the train goes on."""

    onset_sample: int
    end_sample: int | None
    baseline_uv: float
    before: Before
    follower: Follower

    def judge(self, known: Knowledge) -> Judgement:
        end = self.end_sample
        if end is None or (known.ended and end > known.horizon):
            stimulus = Stimulus(self.onset_sample, max(self.onset_sample, known.horizon))
            if known.ended:
                return Judgement(
                    stimulus, Verdict.UNDETERMINED, f"{known.ended} during the train", (), self.baseline_uv, (), True
                )
            return Judgement(stimulus, Verdict.UNDETERMINED, "the train is going on", (), self.baseline_uv, (), False)
        stimulus = Stimulus(self.onset_sample, end)
        blind = self._blind(known, end)
        if not isfinite(self.baseline_uv):
            reason = "no baseline: fewer than 5 clean seconds before the train, or a dead channel"
            return Judgement(stimulus, Verdict.UNDETERMINED, reason, (), nan, blind, True)
        discharges, going_on = self._discharges(known)
        rhythm = [d for d in discharges if self.before.n_alike(d)]
        found, used = self._afterdischarges([d for d in discharges if d not in rhythm], known, end)
        over = known.ended is not None or (not going_on and known.horizon >= self._watched_until(found, end))
        if found and self._is_doubtful(found[0]):
            reason = f"too little speaks for an evoked discharge: {self._praise(found, used)}"
            return Judgement(stimulus, Verdict.UNDETERMINED, reason, (), self.baseline_uv, blind, over)
        if found:
            return Judgement(
                stimulus, Verdict.AFTERDISCHARGE, self._praise(found, used), found, self.baseline_uv, blind, over
            )
        if not over and not self._may_still_begin(known, end):
            over = not self._open_run(known)
        if not over:
            return Judgement(
                stimulus,
                Verdict.UNDETERMINED,
                "not decided yet: the onset window is open",
                (),
                self.baseline_uv,
                blind,
                False,
            )
        verdict, reason = self._nothing(discharges, rhythm, known, end)
        return Judgement(stimulus, verdict, reason, (), self.baseline_uv, blind, True)

    def open_until(self, known: Knowledge, judgement: Judgement) -> float:
        """The sample before which ``judgement``, which is not final, cannot become so, whatever comes."""
        if self.end_sample is None or not isfinite(self.baseline_uv):
            return 0.0
        if judgement.afterdischarges:
            return self._watched_until(judgement.afterdischarges, self.end_sample)
        criterion = self.follower.rules.criterion
        # A discharge may be found yet, with an end that is already past, and its secondary window count from there.
        soonest = known.horizon + (criterion.secondary_window_s - criterion.merge_gap_limit_s) * self._rate()
        return min(self._window_end(self.end_sample), soonest)

    def _is_doubtful(self, found: Afterdischarge) -> bool:
        """Little speaks for a discharge, or not much and there were spikes before the train as well."""
        limit = DOUBTFUL if self.before.spike_hz > NOT_NEW * found.spike_hz else UNLIKELY
        return found.confidence < limit

    def _rate(self) -> float:
        return self.follower.rules.rate_hz

    def _window_end(self, end: int) -> float:
        return end + self.follower.rules.criterion.onset_window_s * self._rate()

    def _blind(self, known: Knowledge, end: int) -> tuple[tuple[int, int], ...]:
        spans = [(max(b.first, end), b.last) for b in self.follower.blind if b.last > end]
        if known.blind_since is not None and known.horizon > max(known.blind_since, end):
            spans.append((max(known.blind_since, end), known.horizon))
        return tuple(spans)

    def _discharges(self, known: Knowledge) -> tuple[list[Discharge], bool]:
        """All of them, and whether the last may still go on."""
        latest = self.follower.open_discharge()
        if latest is None:
            return list(self.follower.closed), False
        going_on = not self.follower.is_over(latest, known.horizon, known.blind_since)
        return [*self.follower.closed, latest], going_on

    def _open_run(self, known: Knowledge) -> bool:
        return self.follower.run_may_count(known.horizon, known.blind_since) is not None

    def _may_still_begin(self, known: Knowledge, end: int) -> bool:
        return known.horizon < self._window_end(end) or self._discharges(known)[1]

    def _watched_until(self, found: tuple[Afterdischarge, ...], end: int) -> float:
        if not found:
            return float("inf")
        return found[-1].end_sample + self.follower.rules.criterion.secondary_window_s * self._rate()

    def _afterdischarges(
        self, discharges: list[Discharge], known: Knowledge, end: int
    ) -> tuple[tuple[Afterdischarge, ...], list[Discharge]]:
        rules = self.follower.rules
        found: list[Afterdischarge] = []
        used: list[Discharge] = []
        for discharge in discharges:
            if not discharge.meets(rules):
                continue
            first = discharge.first.spike.sample
            until = (
                found[-1].end_sample + rules.criterion.secondary_window_s * rules.rate_hz
                if found
                else self._window_end(end)
            )
            if first > until:
                break
            found.append(self._event(discharge, Kind.SECONDARY if found else Kind.PRIMARY, known, end))
            used.append(discharge)
        return tuple(found), used

    def _event(self, discharge: Discharge, kind: Kind, known: Knowledge, end: int) -> Afterdischarge:
        finish = ending(
            self.follower, discharge, known.horizon, signal_ended=known.ended is not None, baseline_uv=self.baseline_uv
        )
        tally = discharge.tally
        return Afterdischarge(
            onset_sample=discharge.first.spike.sample,
            end_sample=discharge.last.spike.sample,
            kind=kind,
            n_spikes=tally.n,
            peak_uv=tally.peak_uv,
            median_ratio=tally.median_ratio(),
            spike_hz=(tally.n - discharge.n_runs) / (discharge.spiking / self._rate()),
            end_grade=finish.grade,
            confidence=confidence(evidence(discharge, self.follower, self.before.spike_hz)),
            earliest_onset_sample=earliest_onset(self.follower, discharge, end),
            latest_end_sample=finish.latest_end_sample,
        )

    def _praise(self, found: tuple[Afterdischarge, ...], used: list[Discharge]) -> str:
        first = found[0]
        seconds = used[0].spiking / self._rate()
        return (
            f"{first.n_spikes} spikes of median {first.median_ratio:.1f} x baseline at {first.spike_hz:.1f}/s "
            f"over {seconds:.1f} s of spiking"
        )

    def _nothing(
        self, discharges: list[Discharge], rhythm: list[Discharge], known: Knowledge, end: int
    ) -> tuple[Verdict, str]:
        """Why there is no afterdischarge, or why nobody can tell."""
        rate, criterion = self._rate(), self.follower.rules.criterion
        window_end = self._window_end(end)
        missing = window_end - known.horizon
        if known.ended and missing >= criterion.min_duration_s * rate:
            return Verdict.UNDETERMINED, (
                f"{known.ended} {(known.horizon - end) / rate:.1f} s after the train; "
                f"an afterdischarge may begin up to {criterion.onset_window_s:g} s after it"
            )
        for first, last in self._hiding_places(known, end):
            if (last - first) >= criterion.min_duration_s * rate and first < window_end:
                return Verdict.UNDETERMINED, (
                    f"nothing could be seen for {(last - first) / rate:.1f} s from {(first - end) / rate:.1f} s after "
                    f"the train on: an afterdischarge of {criterion.min_duration_s:g} s could be hidden there"
                )
        for discharge in discharges:
            if discharge not in rhythm and (reason := self._cut(discharge, known, end)):
                return Verdict.UNDETERMINED, reason
        in_rhythm = [d for d in rhythm if d.meets(self.follower.rules) and d.first.spike.sample <= window_end]
        if any(self.before.n_alike(d) == 1 for d in in_rhythm):
            return Verdict.UNDETERMINED, "spiking after the train, but spiking like it was there before the train too"
        if in_rhythm:
            return Verdict.NONE, "only a rhythm that was there before the train too"
        longest = max((d.spiking for d in discharges), default=0.0)
        if longest:
            return Verdict.NONE, f"no discharge meets the criterion; the longest has {longest / rate:.1f} s of spiking"
        return Verdict.NONE, "no run of spikes after the train"

    def _hiding_places(self, known: Knowledge, end: int) -> list[tuple[int, int]]:
        """Blind spans, joined where what lies between is no longer than a silence inside a discharge."""
        places: list[tuple[int, int]] = []
        for first, last in self._blind(known, end):
            if places and first - places[-1][1] <= self.follower.rules.max_gap:
                places[-1] = (places[-1][0], last)
            else:
                places.append((first, last))
        return places

    def _cut(self, discharge: Discharge, known: Knowledge, end: int) -> str | None:
        """A run next to, or across, blindness that together with it might reach the minimum."""
        rules = self.follower.rules
        first, last = discharge.first.spike.sample, discharge.last.spike.sample
        if first > self._window_end(end) and earliest_onset(self.follower, discharge, end) is None:
            return None
        if discharge.meets(rules):
            start = earliest_onset(self.follower, discharge, end)
            if start is not None and start <= self._window_end(end):
                return "a discharge begins after the onset window, or in the blind span before its first spike"
            return None
        if not discharge.tally.n_high >= 3:
            return None
        hidden = 0.0
        for blind_first, blind_last in self._blind(known, end):
            if blind_first - last <= discharge.reach(rules) and first - blind_last <= discharge.reach(rules):
                hidden += blind_last - blind_first
        at_end = known.ended and known.horizon - last <= rules.slow
        if at_end:
            return f"{known.ended} in the middle of a run of spikes"
        if hidden >= 0.2 * rules.rate_hz and discharge.spiking + hidden >= discharge.required(rules):
            return (
                f"{discharge.spiking / rules.rate_hz:.1f} s of spiking next to {hidden / rules.rate_hz:.1f} s in which "
                "nothing could be seen: it may or may not meet the criterion"
            )
        return None
