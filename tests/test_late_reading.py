"""A program that was held up reads late: its train is looked for in what was sampled after the trigger."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from altered import altered
from moments import RATE_HZ

from detectors.criterion import Criterion
from drivers.interface import Block, LinkLost
from kindle.bridging import Bridge
from kindle.exchange import Stimulate, Trial, VoidTrial
from kindle.experimenter import Unattended
from kindle.interrupted import Unrecorded
from kindle.progress import Listener, Progress, Read, unheard
from kindle.rig import Rig
from kindle.safety import Exposure
from kindle.stream import Stream
from tests.bench import Rig as Bench
from tests.bench import bench, config, hurried
from tests.test_session_faults import HIGH_COUNTS, MONITOR_ROW, TRAIN, TTL_ROW, Watched

HELD_UP_S = 3.0
"""Longer than the TTL is waited for."""


def held_up(at: Bench) -> None:
    """Samples come in meanwhile, and nobody reads them."""
    clock = at.board.clock
    clock.wait_until(clock.now_us() + round(HELD_UP_S * 1e6), 0.0)


def late_rig(at: Bench, before_fire: Callable[[], object], heard: Listener) -> Rig:
    """Held up while it programs the stimulator; behind a gap it goes on. ``heard`` is told of every block."""
    instruments = at.instruments
    instruments.stimulator.identify()
    instruments.source.start()
    criterion = Criterion(onset_window_s=10.0, baseline_s=10.0)
    stream = Stream(instruments.source, Unrecorded(), criterion, instruments.block, heard)
    return Rig(
        stream,
        Watched(instruments.stimulator, before_prepare=lambda: held_up(at), before_fire=before_fire),
        config().limits,
        Unattended(),
        watch_s=15.0,
        baseline_s=10.0,
        recording="nowhere",
        listener=unheard,
        exposure=Exposure(),
        bridge=Bridge(instruments.source, stream, unheard, hurried(each_wait=at.board.faults.replug)),
    )


def given(
    at: Bench, before_fire: Callable[[], object] = lambda: None, heard: Listener = unheard
) -> tuple[Trial | VoidTrial, float, Rig]:
    """The reply, and when the stimulator was triggered in seconds of signal."""
    triggered_s: list[float] = []

    def fires() -> None:
        triggered_s.append(at.board.clock.now_us() * 1e-6)
        before_fire()

    with late_rig(at, fires, heard) as rig:
        reply = rig.perform(Stimulate(TRAIN))
    assert isinstance(reply, Trial | VoidTrial)
    return reply, triggered_s[0], rig


def test_a_train_is_seen_however_long_the_program_was_held_up_before_it() -> None:
    with bench(config()) as at:
        reply, triggered_s, rig = given(at)
        assert len(at.rat.heard) == 1
    assert isinstance(reply, Trial)
    assert 0.0 <= reply.measured.onset_sample / RATE_HZ - triggered_s < 0.01
    assert rig.exposure.last_onset_s == reply.measured.onset_sample / RATE_HZ


def test_that_no_train_came_is_said_of_the_second_after_the_trigger() -> None:
    def silent(block: Block, first: int) -> None:
        block[[TTL_ROW, MONITOR_ROW]] = 0

    with bench(config()) as at:
        at_low = replace(at, instruments=altered(at.instruments, silent))
        reply, triggered_s, rig = given(at_low)
    assert isinstance(reply, VoidTrial)
    assert reply.reason.startswith("the TTL shows no train within 1 s of the trigger")
    assert reply.last_sample / RATE_HZ == pytest.approx(triggered_s + 1.0, abs=0.01)
    assert rig.exposure.last_onset_s == reply.last_sample / RATE_HZ, "it may have begun at the last moment"


def test_a_train_that_a_gap_hides_began_at_the_latest_when_the_gap_was_over() -> None:
    with bench(config()) as at:
        reply, _, rig = given(at, at.board.faults.unplug)
    assert isinstance(reply, VoidTrial)
    assert "before the train was seen" in reply.reason
    assert rig.exposure.last_onset_s == reply.last_sample / RATE_HZ


def test_a_train_that_a_gap_cuts_off_began_no_earlier_than_the_ttl_rose() -> None:
    rose: list[int] = []

    def unplugs(fact: Progress) -> None:
        if isinstance(fact, Read) and not rose and fact.block[TTL_ROW].max() > HIGH_COUNTS / 2:
            rose.append(fact.first_sample + int((fact.block[TTL_ROW] > HIGH_COUNTS / 2).argmax()))
            at.board.faults.unplug()

    with bench(config()) as at:
        reply, triggered_s, rig = given(at, heard=unplugs)
    assert isinstance(reply, VoidTrial)
    assert "s after the train began" in reply.reason
    assert 0.0 <= rose[0] / RATE_HZ - triggered_s < 0.01
    assert rig.exposure.last_onset_s is not None
    # Behind the gap the TTL may still be high for a moment: then its train began there, as far as intervals go.
    assert 0.0 <= rig.exposure.last_onset_s - rose[0] / RATE_HZ < 0.05


def test_no_train_is_given_where_the_board_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def hangs() -> int:
        raise LinkLost("Dev1 hangs")

    with bench(config()) as at:
        monkeypatch.setattr(at.instruments.source, "n_unread", hangs)
        with pytest.raises(LinkLost, match="Dev1 hangs"):
            given(at)
        at.instruments.source.read(4 * RATE_HZ)
        assert at.rat.heard == []
