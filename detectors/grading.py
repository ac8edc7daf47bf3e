"""How a discharge ended, and how far it can be trusted."""

from dataclasses import dataclass

from detectors.criterion import EndGrade
from detectors.events import Blind, Discharge, Follower

FADED = 0.5
"""A discharge whose last spikes are below this share of its median amplitude ended gradually."""
GONE_S = 2.0
ARTEFACT_S = 0.3


@dataclass(frozen=True, slots=True)
class Ending:
    """``latest_end_sample``: where blindness touches the end, the discharge may have gone on until here."""

    grade: EndGrade
    latest_end_sample: int | None


def ending(follower: Follower, discharge: Discharge, horizon: int, *, signal_ended: bool, baseline_uv: float) -> Ending:
    """``horizon`` is where knowledge ends: there the signal ended, or simply nothing later is known yet."""
    rules = follower.rules
    end = discharge.last.spike.sample
    if signal_ended and not discharge.interrupted and _clean_after(follower, end, horizon) <= rules.max_gap:
        return Ending(EndGrade.TRUNCATED, horizon)
    until = end + rules.max_gap
    after = [b for b in _joined(follower.blind, rules.rate_hz) if b.last > end and b.first <= until]
    gone = [b for b in after if b.gone and b.last - b.first >= GONE_S * rules.rate_hz]
    if gone:
        return Ending(EndGrade.TRUNCATED, gone[0].last)
    blind = sum(b.last - max(b.first, end) for b in after)
    covered = [c for c in follower.covered if c[1] > end and c[0] <= end + rules.slow]
    blind += sum(last - max(first, end) for first, last in covered)
    if blind >= ARTEFACT_S * rules.rate_hz:
        last = max([b.last for b in after] + [c[1] for c in covered])
        return Ending(EndGrade.ARTEFACT, last)
    faded = discharge.level_uv < FADED * discharge.tally.median_ratio() * baseline_uv
    return Ending(EndGrade.GRADUAL if faded else EndGrade.CLEAR, None)


def earliest_onset(follower: Follower, discharge: Discharge, since: int) -> int | None:
    """Where blindness lies so close before the first spike that the discharge may have begun in it."""
    first = discharge.first.spike.sample
    # One spike may have gone unseen beside the blindness as well as in it.
    reach = first - min(follower.rules.slow, 2 * discharge.reach(follower.rules))
    before = [b for b in follower.blind if b.first < first and b.last >= reach]
    if not before:
        return None
    start = before[-1].first
    for blind in reversed(follower.blind):
        if blind.first < start and start - blind.last <= follower.rules.slow:
            start = blind.first
    return max(since, start)


def confidence(discharge: Discharge, follower: Follower, grade: EndGrade, before_hz: float) -> float:
    """0 to 1, falling with small or few or short or sub-threshold spikes, a covered end, and spikes before the train.

    A ranking, not a probability: no recording with known truth has calibrated it.
    """
    rules = follower.rules
    c = rules.criterion
    seconds = max(discharge.spiking / rules.rate_hz, 1e-9)
    tally = discharge.tally
    rate = (tally.n - discharge.n_runs) / seconds
    size = _rise(tally.median_ratio(), 0.75 * c.amplitude_ratio, 2 * c.amplitude_ratio)
    number = _rise(tally.n, 0, 12)
    length = _rise(seconds, 0.5 * c.min_duration_s, 2 * c.min_duration_s)
    density = _rise(rate, 0.5 * c.min_spike_hz, 2 * c.min_spike_hz)
    high = _rise(tally.n_high / tally.n, 0.2, 0.9)
    weakest = min(size, number, length, density, high)
    evenly = (size * number * length * density * high) ** 0.2
    ended = {EndGrade.ARTEFACT: 0.7, EndGrade.TRUNCATED: 0.8, EndGrade.GRADUAL: 0.95, EndGrade.CLEAR: 1.0}[grade]
    surprise = 1.0 - min(1.0, 2 * before_hz / rate) if rate else 0.0
    return float(max(0.0, min(1.0, (0.5 * weakest + 0.5 * evenly) * ended * (0.2 + 0.8 * surprise))))


def _rise(value: float, low: float, high: float) -> float:
    return min(1.0, max(0.05, (value - low) / (high - low)))


def _clean_after(follower: Follower, sample: int, horizon: int) -> float:
    hidden = sum(max(0, min(b.last, horizon) - max(b.first, sample)) for b in follower.blind)
    return float(horizon - sample - hidden)


def _joined(blind: list[Blind], rate_hz: float) -> list[Blind]:
    """Neighbouring blindness as one, gone if any of it was."""
    joined: list[Blind] = []
    for b in blind:
        if joined and b.first - joined[-1].last <= 0.1 * rate_hz:
            before = joined[-1]
            joined[-1] = Blind(before.first, max(b.last, before.last), before.gone or b.gone)
        else:
            joined.append(b)
    return joined
