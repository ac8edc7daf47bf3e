"""Follows the spikes of a channel into discharges: driven by their times alone, the same live and offline."""

from dataclasses import dataclass

from detectors.discharge import Discharge
from detectors.runs import Rules, Run, Timed
from detectors.spikes import Spike

AFTER_WAVE_S = 0.25
AFTER_WAVE, AFTER_WAVE_SAME_SIGN = 1.35, 0.51
"""Of the spike before: a smaller deflection this soon after it is its slow wave, or the other half of its cycle."""
SUPPORTED = 0.75
"""Of the criterion's amplitude, for a spike that comes when and as large as those before it let expect."""
OTHER_HALF = 0.8
"""Of the spike before and of the other sign: a cycle of a rhythm, whose end this is as well."""
REBOUND_S, REBOUND = 0.45, 0.3
"""A much smaller one a little later still is the filter coming back."""
SETTLING_S = 1.5
"""So soon after blindness the amplifier may still be coming back: a spike counts only as far as it stands out from the
unfiltered signal beside it, which the bend of a recovery does not."""
UNSETTLED_S = 0.35
"""Sooner still, a first spike must also agree with those that follow it."""
TRUST_REGAINED = 3.0
LEAST_TRUST = 0.35
VOUCHED, VOUCHERS = 0.6, 3
"""So much of its height must be believed, and so many spikes follow, for a rhythm to vouch for a small first one."""
LONGEST_BLIND_S = 30.0
"""A discharge that goes on after a longer blindness counts as another one."""
COVERED_S = 0.5
"""Muscle this close together covers what lies between."""
LIFE_S = 0.6
REMEMBERED_MINOR = 64
REMEMBERED_PASSED = 16


@dataclass(frozen=True, slots=True)
class Blind:
    """``[first, last)`` in which nothing could be seen; ``gone`` when the electrode or the samples were missing."""

    first: int
    last: int
    gone: bool


class Follower:
    """Follows the spikes of one channel; nothing in it depends on when it is asked."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.closed: list[Discharge] = []
        self.blind: list[Blind] = []
        self.covered: list[tuple[int, int]] = []
        self.run: Run | None = None
        self.ended_run: tuple[int, float, float] | None = None
        """End sample, length in samples and level of the run that ended last, for whoever keeps them."""
        self._discharge: Discharge | None = None
        self._hidden = 0.0
        self._recent: list[tuple[int, float]] = []
        """Sample and believed height of the last spikes that were no after-waves."""
        self._passed: list[Timed] = []
        """Spikes shortly after blindness that did not count: the rhythm that follows may vouch for them."""
        self._last_kept = -1
        self._last_life = float("-inf")

    @property
    def in_run(self) -> bool:
        return self.run is not None and self.run.first is not None

    def clean(self, sample: int) -> float:
        """``sample`` on the clock that stands still while nothing can be seen."""
        return sample - self._hidden

    def add_blind(self, blind: Blind) -> None:
        self._hidden += blind.last - blind.first
        previous = self.blind[-1] if self.blind else None
        if previous and previous.gone == blind.gone and blind.first - previous.last <= 0.06 * self.rules.rate_hz:
            self.blind[-1] = Blind(previous.first, blind.last, blind.gone)
        else:
            self.blind.append(blind)

    def add(self, spike: Spike) -> bool:
        """Take in the next spike; whether it was large enough to count."""
        if spike.jagged:
            self._cover(spike)
            return False
        trust = self._trust(spike)
        if self._is_after_wave(spike):
            if self.run is not None and self._is_other_half(spike, self.run):
                self.run.accompany(Timed(spike, self.clean(spike.sample), False))
            self._pass(spike, trust)
            return False
        self._recent = [*self._recent[-2:], (spike.sample, trust * spike.uv)]
        ratio = trust * spike.ratio
        self._note_life(spike)
        high = ratio >= self.rules.criterion.amplitude_ratio
        timed = Timed(spike, self.clean(spike.sample), high, self._since_blind_s(spike) < UNSETTLED_S)
        if ratio < self.rules.kept_ratio and not self._is_supported(spike, ratio):
            if self.run is not None and self.in_run:
                self.run.pass_by()
            self._pass(spike, trust)
            return False
        if self.run is not None and self._is_silence(self.run, timed.clean, spike.sample):
            self._end_run()
        if self.run is None:
            before = self._discharge
            least_uv = self.rules.criterion.merge_amplitude * before.typical_uv() if before else 0.0
            self.run = Run(self.rules, least_uv)
        established = self.run.first is not None
        self.run.add(timed)
        if not established and self.run.first is not None:
            self._attach(self.run)
        self._look_back()
        self._last_kept = spike.sample
        return True

    def _pass(self, spike: Spike, trust: float) -> None:
        if trust >= VOUCHED and UNSETTLED_S <= self._since_blind_s(spike) < SETTLING_S:
            self._passed = [*self._passed[1 - REMEMBERED_PASSED :], Timed(spike, self.clean(spike.sample), False)]

    def _look_back(self) -> None:
        """Once the rhythm is known, a spike that the recovery hid may turn out to be its first."""
        run, discharge = self.run, self._discharge
        if run is None or run.first is None or discharge is None or discharge.n_runs or run.tally.n < VOUCHERS:
            return
        for timed in reversed(self._passed):
            if timed.clean < run.first.clean and run.precede(timed):
                discharge.first = timed
        self._passed = []

    def open_discharge(self) -> Discharge | None:
        """The discharge that may still go on, as it stands with the run going on."""
        if self._discharge is None:
            return None
        if self.run is None or self.run.first is None:
            return self._discharge if self._discharge.n_runs else None
        if self._discharge.n_runs and not self.run.credible:
            return self._discharge
        together = self._discharge.copy()
        together.absorb(self.run, self.rules)
        return together

    def is_over(self, discharge: Discharge, horizon: int, blind_since: int | None) -> bool:
        """Whether nothing after ``horizon`` can still belong to ``discharge``, the open one."""
        now = self.clean(min(horizon, blind_since) if blind_since is not None else horizon)
        if horizon - discharge.last.spike.sample > (LONGEST_BLIND_S * self.rules.rate_hz + self._tolerance(discharge)):
            return True
        tolerance = self._tolerance(discharge)
        since = discharge.latest
        if now - since <= tolerance:
            return False
        alive = self.run is not None and not self._is_silence(self.run, now, horizon)
        return not (alive and self.run is not None and self.run.begun_clean - since <= tolerance)

    def run_may_count(self, horizon: int, blind_since: int | None) -> Run | None:
        """The run that is still going on at ``horizon``, established or not."""
        now = self.clean(min(horizon, blind_since) if blind_since is not None else horizon)
        return self.run if self.run is not None and not self._is_silence(self.run, now, horizon) else None

    def _note_life(self, spike: Spike) -> None:
        """Spikes in a pause that are too small to count, yet close together, keep a discharge from being over."""
        now, before, discharge = self.clean(spike.sample), self._last_life, self._discharge
        self._last_life = now
        if discharge is None:
            return
        typical_uv = discharge.typical_uv() if discharge.n_runs or self.run is None else self.run.level_uv
        if abs(spike.uv) < self.rules.criterion.merge_amplitude * typical_uv:
            self._last_life = before
        elif now - before <= LIFE_S * self.rules.rate_hz and now - discharge.latest <= self._tolerance(discharge):
            if before - discharge.latest > self.rules.slow:
                discharge.pause(before, self.rules)
            discharge.sign_of_life = max(now, discharge.sign_of_life)

    def _tolerance(self, discharge: Discharge) -> float:
        return discharge.tolerated_gap(self.rules)

    def _is_silence(self, run: Run, clean: float, sample: int) -> bool:
        longest = LONGEST_BLIND_S * self.rules.rate_hz
        return clean - run.latest_clean > run.longest_silence or sample - run.latest_sample > longest

    def _attach(self, run: Run) -> None:
        """A new run goes on with the discharge before it, or begins another one."""
        assert run.first is not None
        if self._discharge is not None:
            before = self._discharge
            close = run.first.clean - before.latest <= self._tolerance(before)
            seen = run.first.spike.sample - before.last.spike.sample
            seen_enough = seen <= LONGEST_BLIND_S * self.rules.rate_hz + self._tolerance(before)
            large = run.tally.peak_uv >= self.rules.criterion.merge_amplitude * before.typical_uv()
            if close and seen_enough and large:
                return
            self._close(before)
        self._discharge = Discharge(run.first, run.first)

    def _end_run(self) -> None:
        run, self.run = self.run, None
        if run is None or run.first is None or run.last is None or self._discharge is None:
            return
        if run.credible:
            self.ended_run = (run.last.spike.sample, run.spiking, run.level_uv)
        if run.credible or not self._discharge.n_runs:
            self._discharge.absorb(run, self.rules)
            if not run.credible:
                self._close(self._discharge)
                self._discharge = None

    def _close(self, discharge: Discharge) -> None:
        discharge.interrupted = True
        self.closed.append(discharge)
        minor = [d for d in self.closed if not d.meets(self.rules)]
        if len(minor) > REMEMBERED_MINOR:
            self.closed.remove(minor[0])

    def _is_supported(self, spike: Spike, ratio: float) -> bool:
        """A spike that is a little too small, but where the rhythm lets one expect it."""
        enough = ratio >= SUPPORTED * self.rules.criterion.amplitude_ratio
        return enough and self.run is not None and self.run.expects(spike.uv, self.clean(spike.sample))

    def _is_other_half(self, spike: Spike, run: Run) -> bool:
        if run.last is None:
            return False
        before = run.last.spike
        soon = spike.sample - before.sample <= AFTER_WAVE_S * self.rules.rate_hz
        return soon and spike.uv * before.uv < 0 and abs(spike.uv) >= OTHER_HALF * abs(before.uv)

    def _is_after_wave(self, spike: Spike) -> bool:
        for sample, uv in self._recent:
            since = spike.sample - sample
            if since <= REBOUND_S * self.rules.rate_hz and abs(spike.uv) < REBOUND * abs(uv):
                return True
            if since <= AFTER_WAVE_S * self.rules.rate_hz:
                share = AFTER_WAVE_SAME_SIGN if spike.uv * uv > 0 else AFTER_WAVE
                if abs(spike.uv) < share * abs(uv):
                    return True
        return False

    def _trust(self, spike: Spike) -> float:
        """Share of its height that is believed: the less, the sooner after blindness it comes; 0 for a mere bend."""
        since_s = self._since_blind_s(spike)
        if since_s >= SETTLING_S:
            return 1.0
        trust = spike.sharpness * (1 + TRUST_REGAINED * since_s**2)
        return min(1.0, trust) if trust >= LEAST_TRUST else 0.0

    def _since_blind_s(self, spike: Spike) -> float:
        return (spike.sample - self.blind[-1].last) / self.rules.rate_hz if self.blind else SETTLING_S

    def _cover(self, spike: Spike) -> None:
        """Muscle hides what lies between its bursts; time with spikes in it was not hidden."""
        here = spike.sample
        if self.covered and here - self.covered[-1][1] <= COVERED_S * self.rules.rate_hz:
            since = max(self.covered[-1][1], self._last_kept)
            self._hidden += max(0, here - since)
            self.covered[-1] = (self.covered[-1][0], here)
        else:
            self.covered.append((here, here))
