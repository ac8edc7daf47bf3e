"""A rig inside the test: the shipped drivers on the emulated instruments, and the rat to ask what it got."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from msgspec import structs

from drivers.pulsepal import PulsePal
from drivers.serial_wire import SerialWire
from drivers.simulated.bench import Bench
from drivers.simulated.board import Board
from drivers.simulated.clock import DemandClock
from drivers.simulated.endpoints import MemoryWire
from drivers.simulated.isolator import PulsePalIntoIsolator
from drivers.simulated.pulsepal_device import PulsePalDevice
from drivers.simulated.rat import SimulatedRat
from drivers.simulated.source import BoardSource
from kindle.assembly import Instruments, inputs_of
from kindle.bridging import Patience
from kindle.experimenter import Answer, Unattended
from kindle.holding import GO_ON
from kindle.prepared import prepare_threshold
from kindle.progress import Listener, unheard
from kindle.rig_config import RigConfig, load_rig
from kindle.rows import Animal
from kindle.session import Finished, LastTrain, run_threshold
from kindle.session_view import SessionView
from kindle.study import create_study, open_study

STUDY = """\
name = "test"
preset = "hannover_ascending"
[threshold]
start_ua = 20.0
max_ua = 200.0
interval_s = 30.0
baseline_s = 10.0
watch_s = 15.0
onset_window_s = 10.0
lockout_after_ad_s = 60.0
[threshold.train]
shape = "biphasic"
"""


@dataclass(frozen=True)
class Rig:
    rat: SimulatedRat
    device: PulsePalDevice
    board: Board
    instruments: Instruments


def config(**limits: Any) -> RigConfig:
    """The built-in simulated rig with these limits, read in larger blocks: a session has fewer of them."""
    simulated = load_rig("simulated")
    return structs.replace(
        simulated,
        limits=structs.replace(simulated.limits, **limits),
        daq=structs.replace(simulated.daq, block_s=0.5),
    )


def without_monitor(rig: RigConfig) -> RigConfig:
    kept = tuple(wanted for wanted in rig.daq.inputs if wanted.role != "current_monitor")
    return structs.replace(rig, daq=structs.replace(rig.daq, inputs=kept))


@contextmanager
def bench(
    rig: RigConfig, threshold_ua: float = 60.0, seed: int = 7, wire: type[MemoryWire] = MemoryWire
) -> Iterator[Rig]:
    clock = DemandClock()
    device = PulsePalDevice()
    rat = SimulatedRat(threshold_ua, seed, rig.daq.rate_hz)
    board = Board(clock, Bench(rat, PulsePalIntoIsolator(device)).wires())
    source = BoardSource(board, inputs_of(rig), rig.daq.rate_hz)
    port: SerialWire = wire(device, clock.now_us)
    stimulator = PulsePal(
        "in-process", channel=1, sync_channel=2, ua_per_v=100.0, max_current_ua=rig.limits.max_current_ua, wire=port
    )
    try:
        yield Rig(rat, device, board, Instruments(source, stimulator, rig.block))
    finally:
        stimulator.close()
        source.close()


def new_study(folder: Path, text: str = STUDY, animal: str = "R01") -> Path:
    create_study(folder, text)
    with open_study(folder) as study:
        study.add_animal(Animal(animal), datetime.now(UTC))
    return folder


def threshold(
    folder: Path,
    rig: RigConfig,
    instruments: Instruments,
    *,
    experimenter: Unattended | None = None,
    listener: Listener = unheard,
    last_train: LastTrain = "ask",
    patience: Patience | None = None,
) -> Finished:
    with open_study(folder) as study:
        prepared = prepare_threshold(study, "R01", rig)
        return run_threshold(
            study,
            prepared,
            instruments,
            experimenter or Unattended(),
            listener,
            last_train=last_train,
            patience=patience or hurried(),
        )


def session_of(folder: Path) -> SessionView:
    """The one session of a study."""
    with open_study(folder) as opened:
        (view,) = opened.sessions()
    return view


def kinds_of(folder: Path) -> list[str]:
    """Every journal row by its kind, from the first session on."""
    with open_study(folder) as opened:
        return [row.kind for row in opened.journal.rows() if row.kind != "animal_added"]


class GoesOn(Unattended):
    """Says that another train may follow one that was not delivered as asked."""

    def ask(self, text: str, choices: tuple[str, ...]) -> Answer:
        return (lambda: "go on") if choices == GO_ON else super().ask(text, choices)


def hurried(limit_s: float = 60.0, each_wait: Callable[[], None] = lambda: None) -> Patience:
    """Waits for a lost board in no time; ``each_wait`` is what happens meanwhile."""
    waited_s = [0.0]

    def wait(seconds: float) -> None:
        waited_s.append(waited_s[-1] + seconds)
        each_wait()

    return Patience(limit_s, now_s=lambda: waited_s[-1], wait=wait)
