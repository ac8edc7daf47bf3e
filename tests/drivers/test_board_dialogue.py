"""What happens around a board whose calls hang: deadlines, the stop that waits behind, and a fresh start."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event

import pytest
from board_bench import TRAIN

from drivers import board_dialogue
from drivers.board_dialogue import BoardDialogue, Planned
from drivers.daq_output import Armed, BoardFacts, Programme
from drivers.interface import Abort, DeliveredTrain, DeviceNotFound, DeviceRefused, LinkLost, PulseTrain
from drivers.one_shot import OneShot


class Port:
    """A port that notes what it is told, and hangs in one of its calls until it is freed."""

    def __init__(self, hangs_in: str = "") -> None:
        self._hangs_in = hangs_in
        self.free = Event()
        self.closed = Event()
        self.told: list[str] = []
        self.silenced_after_start = Event()

    def open(self) -> BoardFacts:
        self._note("open")
        return BoardFacts("a board")

    def silence(self) -> None:
        self._note("silence")
        if "start" in self.told:
            self.silenced_after_start.set()

    def arm(self, programme: Programme) -> Armed:
        self._note("arm")
        return Armed()

    def start(self) -> None:
        self._note("start")

    def done(self, timeout_s: float) -> bool:
        self._note("done")
        return True

    def close(self) -> None:
        self._note("close")
        self.closed.set()

    def _note(self, call: str) -> None:
        if call == self._hangs_in:
            assert self.free.wait(20)
        self.told.append(call)


class AnyTrain:
    """A plan without a board's peculiarities; ``fits`` says whether what the board made of a train is still it."""

    def __init__(self, *, fits: bool = True) -> None:
        self._fits = fits

    @property
    def stops_with_the_board(self) -> bool:
        return True

    def accept(self, facts: BoardFacts) -> str:
        return "anything"

    def plan(self, train: PulseTrain, facts: BoardFacts) -> Planned:
        def delivered(armed: Armed) -> DeliveredTrain:
            if not self._fits:
                raise DeviceRefused("not what was asked")
            return DeliveredTrain.as_asked(train)

        return Planned(Programme(), delivered)


def stimulator(port: Port, plan: AnyTrain | None = None) -> OneShot:
    return OneShot(BoardDialogue("Dev1", plan or AnyTrain(), lambda: port))


@contextmanager
def impatient() -> Iterator[None]:
    """Short deadlines, for calls that hang: a busy computer may be slow where nothing hangs."""
    with pytest.MonkeyPatch.context() as patch:
        for deadline in ("OPEN_S", "CALL_S", "STOP_S"):
            patch.setattr(board_dialogue, deadline, 0.1)
        yield


def test_a_start_that_hangs_is_followed_by_a_stop_without_anybody_asking() -> None:
    port = Port("start")
    shot = stimulator(port)
    shot.identify()
    shot.prepare(TRAIN)
    with impatient(), pytest.raises(LinkLost, match="may have been delivered"):
        shot.fire()
    assert not port.silenced_after_start.is_set()
    port.free.set()
    assert port.silenced_after_start.wait(10)


@pytest.mark.parametrize(
    ("call", "verb", "expected"),
    [
        ("open", lambda shot: shot.identify(), DeviceNotFound),
        ("silence", lambda shot: shot.identify(), LinkLost),
        ("arm", lambda shot: shot.prepare(TRAIN), LinkLost),
        ("done", lambda shot: shot.rest(), LinkLost),
    ],
)
def test_no_call_that_hangs_holds_anybody_up(
    call: str, verb: Callable[[OneShot], object], expected: type[Exception]
) -> None:
    port = Port(call)
    shot = stimulator(port)
    if call in ("arm", "done"):
        shot.identify()
    if call == "done":
        shot.prepare(TRAIN)
        shot.fire()
    with impatient():
        with pytest.raises(expected, match=r"hangs|no answer"):
            verb(shot)
        assert shot.abort() is Abort.UNCONFIRMED
    with pytest.raises(DeviceRefused, match="connect again"):
        shot.prepare(TRAIN)
    port.free.set()
    shot.close()
    assert port.closed.wait(10)


def test_a_hanging_port_is_left_to_itself_and_a_new_one_is_opened() -> None:
    hanging, sound = Port("arm"), Port()
    ports = iter([hanging, sound])
    shot = OneShot(BoardDialogue("Dev1", AnyTrain(), lambda: next(ports)))
    shot.identify()
    with impatient(), pytest.raises(LinkLost):
        shot.prepare(TRAIN)
    shot.identify()
    shot.prepare(TRAIN)
    shot.fire()
    assert sound.told == ["open", "silence", "arm", "start"]
    hanging.free.set()
    assert hanging.closed.wait(10)


def test_a_train_that_the_board_changed_too_much_is_not_left_armed() -> None:
    port = Port()
    shot = stimulator(port, AnyTrain(fits=False))
    shot.identify()
    with pytest.raises(DeviceRefused, match="not what was asked"):
        shot.prepare(TRAIN)
    assert port.told[-2:] == ["arm", "silence"]
