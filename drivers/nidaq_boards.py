"""Which NI boards a computer, or a device server, has: asked of the driver, without opening a task on any of them."""

import re
from dataclasses import dataclass
from typing import Any

import nidaqmx
from nidaqmx.errors import Error
from nidaqmx.system import System

from drivers.nidaq_device import finding, open_channel, plainly


@dataclass(frozen=True, slots=True)
class BoardSeen:
    """``problem`` says why a board that the driver lists does not tell more about itself."""

    name: str
    product: str
    serial_number: str
    simulated: bool
    n_inputs: int
    problem: str = ""


def boards(remote: str = "") -> list[BoardSeen]:
    """The boards of this computer, or of the device server at ``host:port``. Raises ``DeviceNotFound``."""
    with finding(f"NI-DAQmx at {remote}" if remote else "NI-DAQmx"):
        if not remote:
            return [_seen(board) for board in System.local().devices]
        with open_channel(remote) as channel:
            return [_seen(board) for board in System.remote(nidaqmx.GrpcSessionOptions(channel, "")).devices]


def driver_version() -> str:
    """Of NI-DAQmx on this computer. Raises ``DeviceNotFound`` where it is not installed."""
    with finding("NI-DAQmx"):
        return ".".join(re.findall(r"\d+", str(System.local().driver_version)))


def _seen(board: Any) -> BoardSeen:
    try:
        return BoardSeen(
            board.name,
            board.product_type,
            f"{board.serial_num:08X}",
            board.is_simulated,
            len(board.ai_physical_chans.channel_names),
        )
    except Error as error:
        return BoardSeen(board.name, "unknown", "", False, 0, problem=plainly(error))
