"""Lost samples through the vendor's client: a board behind a device server, and a board in this computer."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from moments import Once, at_second, in_train

from drivers.nidaq import NidaqSource
from drivers.simulated.nidaq_library import NidaqLibrary
from drivers.simulated.nidaq_server import NidaqServer
from kindle.assembly import Instruments, inputs_of
from kindle.exchange import VoidTrial
from kindle.progress import Lost, Progress, Read
from kindle.protocols.threshold import ThresholdFound
from kindle.verification import verify_study
from tests import bench as benches
from tests.bench import bench, config, hurried, new_study, session_of, threshold


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return new_study(tmp_path / "study")


@contextmanager
def over(seam: str, rig: benches.Rig) -> Iterator[Instruments]:
    """The same board through the vendor's client: behind a device server, or as a local board."""
    settings = config()
    with NidaqServer([rig.board]) if seam == "grpc" else NidaqLibrary([rig.board]) as front:
        remote = front.address if seam == "grpc" else None
        source = NidaqSource("Dev1", inputs_of(settings), settings.daq.rate_hz, block=settings.block, remote=remote)
        try:
            yield replace(rig.instruments, source=source)
        finally:
            rig.board.faults.release()
            source.close()


@pytest.mark.parametrize("seam", ["grpc", "library"])
class TestThroughTheVendorsClient:
    @pytest.mark.parametrize("kind", ["overrun", "unplugged", "hangs"])
    def test_a_session_goes_on_behind_a_gap(self, study: Path, seam: str, kind: str) -> None:
        with bench(config(), threshold_ua=22.0) as rig, over(seam, rig) as instruments:
            faults = rig.board.faults

            def mend() -> None:
                faults.replug()
                faults.release()

            breaks = {"overrun": faults.overrun_now, "unplugged": faults.unplug, "hangs": faults.hang}[kind]

            def listener(fact: Progress) -> None:
                break_it(fact)
                if isinstance(fact, Lost) and kind == "hangs":
                    faults.release()

            break_it = Once(at_second(30), breaks)
            patience = hurried(1e6, each_wait=mend)
            finished = threshold(study, config(), instruments, listener=listener, patience=patience)
            assert [round(heard.current_ua) for heard in rig.rat.heard] == [20, 24]
        assert finished.outcome == ThresholdFound(20.0, 24.0)
        assert len(session_of(study).gaps) == 2
        assert verify_study(study) == []

    def test_a_gap_in_a_train_stops_it(self, study: Path, seam: str) -> None:
        with bench(config(), threshold_ua=22.0) as rig, over(seam, rig) as instruments:
            listener = Once(in_train(1, 0.3), rig.board.faults.overrun_now)
            assert threshold(study, config(), instruments, listener=listener).outcome == ThresholdFound(20.0, 24.0)
            assert rig.rat.heard[0].n_pulses < 30
        assert isinstance(session_of(study).trials[0], VoidTrial)

    def test_partial_reads_leave_no_trace(self, study: Path, seam: str) -> None:
        with bench(config(), threshold_ua=22.0) as rig, over(seam, rig) as instruments:

            def listener(fact: Progress) -> None:
                if isinstance(fact, Read):
                    rig.board.faults.partial_next_read(fact.first_sample % 37)

            assert threshold(study, config(), instruments, listener=listener).outcome == ThresholdFound(20.0, 24.0)
        assert session_of(study).gaps == []
