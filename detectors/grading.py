"""How a discharge ended, and where blindness leaves its boundaries open."""

from dataclasses import dataclass

from detectors.criterion import EndGrade
from detectors.discharge import Discharge
from detectors.follower import Blind, Follower

FADED = 0.5
"""A discharge whose last spikes are below this share of its median amplitude ended gradually."""
GONE_S = 2.0
ARTEFACT_S = 0.3
CLIPPED_S = 0.2
"""Blindness in the last seconds: movement that clips the amplifier looks like spikes where it does not."""


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
    if _blind_shortly_before(follower, discharge) >= CLIPPED_S * rules.rate_hz:
        return Ending(EndGrade.ARTEFACT, None)
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


def _blind_shortly_before(follower: Follower, discharge: Discharge) -> int:
    """Samples: what clips the amplifier until the end may be all that was seen of the last spikes."""
    end = discharge.last.spike.sample
    since = max(
        discharge.first.spike.sample, end - round(follower.rules.criterion.merge_gap_s * follower.rules.rate_hz)
    )
    return sum(max(0, min(b.last, end) - max(b.first, since)) for b in follower.blind)


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
