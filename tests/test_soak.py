"""Long runs in short: what they promise holds for a minute of signal, and what they look for they find."""

import pickle
import subprocess
import sys
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from math import inf
from pathlib import Path

import msgspec
import numpy as np
import pytest
from msgspec import structs
from numpy.typing import NDArray

from benchmarks.reliability.event_loop import Absence, Absences, of_its_own
from benchmarks.reliability.soak import soak
from benchmarks.reliability.soak_bench import COUNTER_PERIOD, RATE_HZ, in_process, rig
from benchmarks.reliability.soak_costs import Costs, cost_of
from benchmarks.reliability.soak_measures import Counted, counted, growth, lateness_s, steps
from detectors.afterdischarge import make_ready
from drivers.interface import Block, Channel
from drivers.nidaq_client import load_client
from drivers.simulated.eeg import Background
from drivers.simulated.evoked import EvokedDischarges
from drivers.simulated.rat import Phase, SimulatedRat
from kindle.conducting import Conductor
from kindle.ordering import Order
from kindle.pacing import Pace, PacedSource
from kindle.recording import RecordingWriter, open_recording, verify
from kindle.rig_config import BenchConfig
from tests.bench import bench, config, new_study, threshold
from tests.conducted import Hand
from tests.recordings import CHANNELS, START, signal

OPEN_FILES = Path("/proc/self/fd")

BUSY = """
import sys, time, msgspec
from PySide6.QtCore import QCoreApplication, QTimer
from benchmarks.reliability.event_loop import LoopWatch
application = QCoreApplication([])
watch = LoopWatch()
watch.begin()
def work():
    until_s = time.thread_time() + 0.06
    while time.thread_time() < until_s:
        pass
QTimer.singleShot(50, work)
QTimer.singleShot(250, application.quit)
application.exec()
sys.stdout.buffer.write(msgspec.json.encode(watch.absences()))
"""


def test_a_minute_of_the_day_is_recorded_sample_by_sample(tmp_path: Path) -> None:
    ran = soak(tmp_path, hours=72 / 3600)
    assert ran.counted == Counted(ran.n_handed)
    assert ran.n_handed > 50 * RATE_HZ
    assert (ran.n_trials, ran.stopped, ran.problems) == (2, False, ())


def test_a_day_that_takes_too_long_is_stopped_and_still_counted(tmp_path: Path) -> None:
    ran = soak(tmp_path, hours=72 / 3600, ends_s=-inf)
    assert ran.stopped
    assert ran.n_trials == 0
    assert ran.problems == ()


@pytest.mark.parametrize(
    ("handed", "found"),
    [
        ((0, 1, 2, 3), Counted(2000)),
        ((0, 1, 3), Counted(1500, n_lost=500, first_fault=1000)),
        ((0, 1, 1, 2), Counted(2000, n_back=1, first_fault=1000)),
        ((0, 2, 1, 3), Counted(2000, n_lost=1000, n_back=1, first_fault=500)),
    ],
)
def test_a_block_lost_doubled_or_out_of_order_is_found_in_the_file(
    tmp_path: Path, handed: tuple[int, ...], found: Counted
) -> None:
    channels, blocks = _blocks(tmp_path, 4)
    _recorded(tmp_path / "recording", channels, [blocks[number] for number in handed])
    assert counted(tmp_path / "recording") == found
    assert counted(tmp_path / "recording", chunk=300) == found


def test_one_sample_lost_and_one_doubled_are_told_apart() -> None:
    counts = np.arange(100)
    assert steps(np.delete(counts, 40), -1) == Counted(99, n_lost=1, first_fault=40)
    assert steps(np.insert(counts, 40, 39), -1) == Counted(101, n_doubled=1, first_fault=40)


def test_the_count_goes_round_and_on_from_one_stretch_to_the_next() -> None:
    counts = np.arange(2 * COUNTER_PERIOD + 5) % COUNTER_PERIOD
    assert steps(counts, -1) == Counted(counts.size)
    assert steps(counts[1000:], int(counts[999])) == Counted(counts.size - 1000)
    assert steps(counts[1001:], int(counts[999])).n_lost == 1


def test_a_block_that_comes_late_is_seen_in_the_index(tmp_path: Path) -> None:
    channels, blocks = _blocks(tmp_path, 4)
    _recorded(tmp_path / "recording", channels, blocks, late_ns=(0, 0, 70_000_000, 0))
    assert lateness_s(tmp_path / "recording", RATE_HZ) == pytest.approx([0, 0, 0.07, 0])


@pytest.mark.parametrize(("share", "constant"), [(0.0, True), (0.3, False)])
def test_a_cost_that_grows_is_told_from_a_computer_that_becomes_slower(share: float, constant: bool) -> None:
    n = 20_000
    costs = Costs(n)
    slower = np.linspace(1.0, 2.0, n) * np.random.default_rng(5).normal(1.0, 0.1, n)
    costs.n_samples[:], costs.yardstick_s[:] = 1000, 1e-4 * slower
    costs.program_s[:] = 1e-3 * slower * np.linspace(1.0, 1.0 + share, n)
    assert cost_of(costs, costs.program_s, 1000).growth.within(0.1) is constant


def test_growth_is_that_of_the_whole_run_and_one_outlier_does_not_make_it() -> None:
    values = [100.0 + 0.1 * n for n in range(100)]
    values[97] = 500.0
    assert growth(range(100), values).by == pytest.approx(9.9)


def test_a_wait_for_a_processor_is_not_the_loops_own_and_its_work_is() -> None:
    assert Absence(0.0, 0.2, 0.01, 0.15).own_s == pytest.approx(0.05)
    assert Absence(0.0, 0.2, 0.18, 0.15).own_s == pytest.approx(0.18)


def test_an_absence_is_the_loops_own_unless_an_idle_loop_was_away_too() -> None:
    here = Absences((), (Absence(10.0, 0.2, 0.0, 0.05), Absence(20.0, 0.2, 0.0, 0.0), Absence(30.0, 0.2, 0.0, 0.15)))
    idle = Absences((), (Absence(9.85, 0.06, 0.0, 0.0), Absence(20.1, 0.09, 0.0, 0.0)))
    assert of_its_own(here, idle, 0.1) == [here.told[1]]


def test_percentiles_and_the_longest_absence_come_from_all_rounds() -> None:
    absences = Absences((0, 0, 97, 0, 2), (Absence(0.0, 0.4, 0.0, 0.0),))
    assert (absences.n, absences.percentile_ms(50), absences.percentile_ms(99)) == (99, 3, 5)
    assert absences.longest_s() == 0.4


def test_an_event_loop_that_is_kept_busy_is_seen_to_be_away() -> None:
    ran = subprocess.run([sys.executable, "-c", BUSY], capture_output=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    absences = msgspec.json.decode(ran.stdout, type=Absences)
    assert absences.n >= 2
    assert any(absence.lasted_s >= 0.06 and 0.06 <= absence.worked_s <= absence.own_s for absence in absences.told)


@pytest.mark.parametrize(("clock", "waits"), [("demand", True), ("real", False)])
def test_only_a_bench_that_does_not_keep_time_itself_is_held_back(tmp_path: Path, clock: str, waits: bool) -> None:
    waited = list[float]()
    rig_config = structs.replace(config(), bench=msgspec.convert({"where": "in_process", "clock": clock}, BenchConfig))
    with bench(rig_config) as bench_:
        hand = Hand(deed=lambda conductor, shown: conductor.stop())
        hand.conductor = conductor = Conductor(
            new_study(tmp_path / "study"),
            Order("threshold", "R01"),
            rig_config,
            show_block=hand,
            pace=Pace(now_s=lambda: 0.0, wait=waited.append),
            assemble=lambda rig, animal: nullcontext(bench_.instruments),
        )
        conductor.begin()
        assert conductor.wait_over(60)
    assert bool(waited) is waits


class Started(PacedSource):
    """Notes, when the board begins to sample, for how many rates the detector is ready."""

    ready = -1

    def start(self) -> None:
        self.ready = make_ready.cache_info().currsize
        super().start()


def test_everything_is_compiled_before_the_board_begins_to_sample(tmp_path: Path) -> None:
    make_ready.cache_clear()
    with bench(config()) as bench_:
        source = Started(bench_.instruments.source, Pace(inf))
        threshold(new_study(tmp_path / "study"), config(), replace(bench_.instruments, source=source))
    assert source.ready == 1


def test_a_background_is_the_same_in_any_pieces_round_the_ends_of_its_tables() -> None:
    background = Background(1000.0, 3)
    for first in (2**17 - 7, 7**6 - 7, 3 * 2**17 - 7):
        whole = background.uv(first, 20)
        assert np.array_equal(whole, np.concatenate([background.uv(first, 9), background.uv(first + 9, 11)]))
        assert np.array_equal(whole[:9], background.uv(first - 5, 14)[5:])


def test_an_electrode_elsewhere_sees_its_share_of_a_discharge() -> None:
    rat = SimulatedRat(60.0, 7, 1000.0, discharge_s=(4.0, 5.0))
    rat.hear([Phase(1_000_000 + 20_000 * n, 1_001_000 + 20_000 * n, 100.0) for n in range(50)], 4_000_000)
    here, there = np.zeros(8000), np.zeros(8000)
    rat.add_evoked(here, 0, 0, 1000.0)
    rat.add_evoked(there, 0, 0, 1000.0, share=0.6)
    assert np.abs(here).max() > 100.0
    assert there == pytest.approx(0.6 * here)


def test_many_discharges_take_little_room_and_each_looks_the_same_again() -> None:
    evoked, rng = EvokedDischarges(1000.0), np.random.default_rng(1)

    def seen(train: int) -> NDArray[np.float64]:
        signal = np.zeros(30_000)
        evoked.add_to(signal, 30_000 * train, 0, 1000.0, 1.0)
        return signal

    before = list[NDArray[np.float64]]()
    for train in range(40):
        drawn = evoked.draw(rng, 30_000_000 * train + 2_000_000, 20.0, 500.0)
        before.append(seen(train))
        first = 2000 - drawn.first_spike
        assert np.array_equal(before[-1][first : first + drawn.uv.size], drawn.uv)
    assert len(pickle.dumps(evoked)) < 6 * before[0].nbytes
    for train in (0, 39, 17, 0):
        assert np.array_equal(seen(train), before[train])
    whole = np.zeros(40 * 30_000)
    evoked.add_to(whole, 0, 0, 1000.0, 1.0)
    assert np.array_equal(whole, np.concatenate(before))


def test_the_vendors_client_is_loaded_whole_before_a_window_needs_it() -> None:
    load_client()
    assert {"nidaqmx._grpc_interpreter", "nidaqmx._library_interpreter"} <= set(sys.modules)


@pytest.mark.skipif(not OPEN_FILES.is_dir(), reason="counts open files under /proc")
def test_a_recording_with_many_gaps_holds_no_more_files_open_than_one_with_few(tmp_path: Path) -> None:
    with RecordingWriter.create(tmp_path / "r", CHANNELS, RATE_HZ, START) as writer:
        before = len(list(OPEN_FILES.iterdir()))
        for number in range(50):
            writer.append(signal(10 * number, 10), monotonic_ns=0, utc_ns=0)
            writer.new_segment(START, 5)
        assert len(list(OPEN_FILES.iterdir())) <= before + 3
        for sample in (5, 25, 6):
            writer.mark("Comment", f"late/{sample}", sample)
    recording = open_recording(tmp_path / "r")
    assert len(list(OPEN_FILES.iterdir())) <= before
    assert [marker.description for marker in recording.markers] == ["late/5", "late/6", "late/25"]
    assert np.array_equal(recording.joined, signal(0, 500))
    assert verify(tmp_path / "r") == []


def _blocks(folder: Path, n: int) -> tuple[tuple[Channel, ...], list[Block]]:
    """Of 500 samples each, as the bench hands them over."""
    with in_process(rig(folder)[1]) as instruments:
        instruments.source.start()
        return instruments.source.channels, [instruments.source.read(500) for _ in range(n)]


def _recorded(
    folder: Path, channels: tuple[Channel, ...], blocks: list[Block], late_ns: tuple[int, ...] = (0, 0, 0, 0)
) -> None:
    with RecordingWriter.create(folder, channels, RATE_HZ, datetime.now(UTC)) as writer:
        for number, (block, late) in enumerate(zip(blocks, late_ns, strict=False), 1):
            writer.append(block, monotonic_ns=number * 100_000_000 + late, utc_ns=0)
