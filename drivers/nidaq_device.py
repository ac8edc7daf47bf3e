"""What every use of NI-DAQmx shares: reaching a device, finding it, and translating what goes wrong with it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from nidaqmx.errors import DaqError, DaqNotFoundError, DaqNotSupportedError, Error, RpcError
from nidaqmx.system import System

from drivers.interface import DeviceNotFound, DeviceRefused, LinkLost

NONSENSE = (ArithmeticError, LookupError, TypeError, ValueError)
"""What the vendor's client runs into where a server's answers are those of no NI device."""

RESERVED = -50103
"""Another task holds what this one needs: of another program, or of one that died and whose server lives on."""


def open_channel(remote: str) -> Any:
    """A gRPC channel to ``host:port``; connecting happens with the first call."""
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # the C core writes to stderr; errors reach us as exceptions
    import grpc

    unlimited = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
    return grpc.insecure_channel(remote, options=unlimited)


def find_device(system: System, device: str, serial_number: int | None, where: str) -> Any:
    boards = {board.name: board for board in system.devices}
    found = next((board for name, board in boards.items() if name.casefold() == device.casefold()), None)
    if found is None:
        present = ", ".join(boards) or "none at all"
        raise DeviceNotFound(
            f"there is no NI device {where}; present: {present}; check its cable or its name in NI MAX"
        )
    if serial_number is not None and found.serial_num != serial_number:
        others = [name for name, board in boards.items() if board.serial_num == serial_number]
        hint = f"{others[0]} has it" if others else "no other device has it"
        raise DeviceNotFound(
            f"{where} has the serial number {found.serial_num:08X}, {serial_number:08X} was expected; {hint}: "
            "correct the rig's file or plug in the right board"
        )
    return found


@contextmanager
def finding(where: str) -> Iterator[None]:
    try:
        yield
    except (DaqNotFoundError, DaqNotSupportedError) as error:
        raise DeviceNotFound(
            f"{where} is out of reach: the NI-DAQmx driver is not installed on this computer; "
            "install it from ni.com, or name a remote server"
        ) from error
    except RpcError as error:
        message = f"no NI device server answers for {where} ({plainly(error)}); start it or check the address"
        raise DeviceNotFound(message) from error
    except Error as error:
        raise DeviceNotFound(f"{where} cannot be identified ({plainly(error)}); replug it and try again") from error
    except NONSENSE as error:
        raise DeviceNotFound(f"{_no_device(where, error)}; check the address") from error


@contextmanager
def refusing(where: str) -> Iterator[None]:
    try:
        yield
    except RpcError as error:
        raise gone(where, error) from error
    except Error as error:
        held = isinstance(error, DaqError) and error.error_code == RESERVED
        advice = "; close the program that holds it, or start the NI device server anew" if held else ""
        raise DeviceRefused(f"{where} refuses: {plainly(error)}{advice}") from error
    except NONSENSE as error:
        raise DeviceRefused(f"{_no_device(where, error)}; check the address, and the server's version") from error


@contextmanager
def losing(where: str) -> Iterator[None]:
    try:
        yield
    except Error as error:
        raise gone(where, error) from error
    except NONSENSE as error:
        raise LinkLost(f"{_no_device(where, error)}; check its server, then open it again") from error


def _no_device(where: str, error: Exception) -> str:
    return f"{where} answers as no NI device does ({type(error).__name__}: {str(error)[:200]})"


def gone(where: str, error: Error) -> LinkLost:
    return LinkLost(f"{where} stopped answering ({plainly(error)}); check its cable and its power, then open it again")


def plainly(error: Error) -> str:
    """The vendor's first line, and its code."""
    text = next((line.strip().rstrip(".") for line in str(error).splitlines() if line.strip()), type(error).__name__)
    return f"{text}, code {error.error_code}" if isinstance(error, DaqError) else text
