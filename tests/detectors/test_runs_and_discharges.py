"""Spikes into discharges, from lists of spikes alone."""

from hypothesis import given
from hypothesis import strategies as st

from detectors.criterion import Criterion
from detectors.follower import Blind, Follower
from detectors.runs import Rules
from detectors.spikes import Spike

RULES = Rules(Criterion(), 1000.0)


def spike(second: float, ratio: float = 4.0, *, jagged: bool = False) -> Spike:
    sample = round(second * 1000)
    return Spike(sample // 20, sample, 100 * ratio, ratio, jagged)


def followed(*spikes: Spike) -> Follower:
    follower = Follower(RULES)
    for each in spikes:
        follower.add(each)
    return follower


def train(first: float, last: float, hz: float, ratio: float = 4.0) -> list[Spike]:
    n = round((last - first) * hz)
    return [spike(first + i * (last - first) / n, ratio) for i in range(n + 1)]


def span(follower: Follower) -> tuple[float, float]:
    discharge = follower.open_discharge()
    assert discharge is not None
    return discharge.first.spike.sample / 1000, discharge.last.spike.sample / 1000


def test_two_spikes_are_no_run() -> None:
    assert followed(spike(1), spike(1.5)).open_discharge() is None


def test_a_discharge_lasts_from_its_first_to_its_last_spike() -> None:
    assert span(followed(*train(1, 9, 4))) == (1, 9)


def test_a_lone_spike_before_a_discharge_is_not_its_onset() -> None:
    assert span(followed(spike(1), *train(2.8, 9, 4))) == (2.8, 9)


def test_a_lone_spike_after_a_discharge_is_not_its_end() -> None:
    assert span(followed(*train(1, 9, 4), spike(10.4))) == (1, 9)


def test_a_first_spike_belongs_to_a_faster_rhythm_within_0_6_s_of_it() -> None:
    assert span(followed(spike(1), *train(1.58, 9, 6))) == (1, 9)
    assert span(followed(spike(1), *train(1.65, 9, 6))) == (1.65, 9)


def test_a_discharge_may_build_up_from_less_than_half_of_its_height() -> None:
    assert span(followed(spike(1, 2.7), *train(1.45, 9, 4, ratio=6))) == (1, 9)
    assert span(followed(spike(1, 2.4), *train(1.45, 9, 4, ratio=6))) == (1.45, 9)


def after_blindness(at_s: float, ratio: float, sharpness: float) -> tuple[float, float]:
    """A spike at ``at_s``, 4 spikes a second of 4 times the baseline from 1.7 s on, blindness until 1 s."""
    follower = Follower(RULES)
    follower.add_blind(Blind(0, 1000, gone=False))
    follower.add(spike(at_s, ratio)._replace(sharpness=sharpness))
    for each in train(1.7, 9.7, 4):
        follower.add(each)
    return span(follower)


def test_the_rhythm_vouches_for_a_small_spike_shortly_after_blindness() -> None:
    assert after_blindness(1.45, 1.5, 0.8) == (1.45, 9.7)


def test_the_rhythm_vouches_for_nothing_that_is_out_of_time_or_too_small_or_a_mere_bend() -> None:
    assert after_blindness(1.3, 1.5, 0.8) == (1.7, 9.7), "less than 0.35 s after blindness"
    assert after_blindness(1.2, 1.5, 0.8) == (1.7, 9.7), "two intervals before it"
    assert after_blindness(1.62, 1.5, 0.8) == (1.7, 9.7), "a third of an interval before it"
    assert after_blindness(1.45, 1.1, 0.8) == (1.7, 9.7), "less than 0.3 of the height"
    assert after_blindness(1.45, 1.5, 0.3) == (1.7, 9.7), "less than 0.6 of it is believed"


def test_an_end_that_slows_down_belongs_to_the_discharge() -> None:
    assert span(followed(*train(1, 9, 4), spike(9.5), spike(10.2), spike(11.1))) == (1, 11.1)


def test_small_spikes_alone_make_no_discharge() -> None:
    assert followed(*train(1, 20, 4, ratio=1.9)).open_discharge() is None


def test_muscle_makes_no_discharge() -> None:
    assert followed(*(spike(1 + i / 5, jagged=True) for i in range(60))).open_discharge() is None


def test_a_later_run_of_half_the_size_goes_on_and_a_smaller_one_begins_anew() -> None:
    together = followed(*train(1, 9, 4, ratio=6), *train(12, 15, 4, ratio=3.5))
    assert (span(together), len(together.closed)) == ((1, 15), 0)
    apart = followed(*train(1, 9, 4, ratio=6), *train(12, 15, 4, ratio=2.4))
    assert (span(apart), len(apart.closed)) == ((12, 15), 1)


def test_silence_in_which_nothing_could_be_seen_does_not_count() -> None:
    follower = followed(*train(1, 9, 4))
    follower.add_blind(Blind(9_100, 17_900, gone=False))
    for each in train(18, 20, 4):
        follower.add(each)
    discharge = follower.open_discharge()
    assert discharge is not None
    assert (span(follower), discharge.n_runs) == ((1, 20), 1)


def test_what_stirs_in_a_pause_does_not_make_it_shorter_for_those_that_follow() -> None:
    stirring = (spike(11.4, 1.4), spike(11.8, 1.4))
    quiet = followed(*train(1, 9, 4, ratio=2.5), *train(13, 14, 4, ratio=2.5))
    stirred = followed(*train(1, 9, 4, ratio=2.5), *stirring, *train(13, 14, 4, ratio=2.5))
    for follower in (quiet, stirred):
        for late in train(25, 28, 4, ratio=2.5):
            follower.add(late)
    assert span(quiet) == span(stirred) == (1, 28)


def test_a_silence_longer_than_tolerated_is_over() -> None:
    follower = followed(*train(1, 9, 4))
    discharge = follower.open_discharge()
    assert discharge is not None
    assert not follower.is_over(discharge, 13_900, None)
    assert follower.is_over(discharge, 14_100, None)


spike_trains = st.lists(
    st.tuples(st.floats(0.06, 3.0), st.floats(1.2, 8.0), st.booleans()), min_size=0, max_size=80
).map(
    lambda steps: [
        spike(sum(step[0] for step in steps[: i + 1]), r, jagged=j and r > 6) for i, (_, r, j) in enumerate(steps)
    ]
)


@given(spike_trains)
def test_the_same_list_gives_the_same_discharges(spikes: list[Spike]) -> None:
    first, second = followed(*spikes), followed(*spikes)
    assert repr(first.closed) == repr(second.closed)
    assert repr(first.open_discharge()) == repr(second.open_discharge())


@given(spike_trains, spike_trains)
def test_spikes_after_a_discharge_is_over_do_not_change_it(before: list[Spike], after: list[Spike]) -> None:
    follower = followed(*before)
    discharge = follower.open_discharge()
    if discharge is None or not discharge.meets(RULES):
        return
    seen = (discharge.first, discharge.last, discharge.tally.n, discharge.spiking)
    last = max(s.sample for s in before)
    for late in after:
        shifted = last + 90_000 + late.sample
        follower.add(Spike(shifted // 20, shifted, late.uv, late.ratio, late.jagged))
    known = [*follower.closed, follower.open_discharge()]
    assert seen in [(d.first, d.last, d.tally.n, d.spiking) for d in known if d is not None]
