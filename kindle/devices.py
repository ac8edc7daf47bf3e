"""Which instruments are within reach: NI boards, serial ports, LSL streams, and what answers where asked."""

from collections.abc import Iterable

import msgspec

from drivers.interface import DeviceNotFound
from drivers.lsl_announced import Announced, announced
from drivers.nidaq_boards import boards
from drivers.serial_ports import ports, who_answers


class Board(msgspec.Struct, frozen=True):
    name: str
    product: str
    serial_number: str
    simulated: bool
    n_inputs: int
    problem: str


class Port(msgspec.Struct, frozen=True):
    address: str
    description: str
    likely: str
    """What such a chip usually belongs to."""


class Answer(msgspec.Struct, frozen=True):
    """``model`` is empty where nothing that is known here answers, or where ``problem`` says why nothing was asked."""

    address: str
    model: str
    problem: str = ""


class Devices(msgspec.Struct, frozen=True):
    boards: tuple[Board, ...]
    boards_problem: str
    """Why the NI driver could not be asked."""
    ports: tuple[Port, ...]
    streams: tuple[Announced, ...] | None = None
    """Announced over the Lab Streaming Layer; ``None`` where nobody asked, or nobody could."""
    streams_problem: str = ""
    """Why the LSL library could not be asked."""


def devices_within_reach(remote: str = "", *, lsl: bool = False) -> Devices:
    """Nothing is opened. ``remote`` is host:port of an NI device server; ``lsl`` asks the network for streams."""
    problem = ""
    seen: tuple[Board, ...] = ()
    try:
        seen = tuple(
            Board(one.name, one.product, one.serial_number, one.simulated, one.n_inputs, one.problem)
            for one in boards(remote)
        )
    except DeviceNotFound as error:
        problem = str(error)
    streams, streams_problem = _streams() if lsl else (None, "")
    there = tuple(Port(one.address, one.description, one.likely) for one in ports())
    return Devices(seen, problem, there, streams, streams_problem)


def _streams() -> tuple[tuple[Announced, ...] | None, str]:
    try:
        return announced(), ""
    except DeviceNotFound as error:
        return None, str(error)


def answers_at(addresses: Iterable[str]) -> Iterable[Answer]:
    """Open each port in turn and ask who is there; nothing is set and nothing fires, but opening may reset a board."""
    for address in addresses:
        try:
            yield Answer(address, who_answers(address))
        except DeviceNotFound as error:
            yield Answer(address, "", str(error))
