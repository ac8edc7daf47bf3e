"""Tasks by name at a device server, where they outlive the program that made them."""

from typing import Any

import nidaqmx
from nidaqmx.errors import RpcError
from nidaqmx.grpc_session_options import SessionInitializationBehavior

NO_SUCH_SESSION = "FAILED_PRECONDITION"
"""The server's answer to whoever would attach to a session that it does not have."""


def new_task(link: Any, name: str) -> Any:
    """A task that did not exist; ``link`` is a channel to a device server, ``None`` for the driver in this computer."""
    if link is None:
        return nidaqmx.Task(name)
    return _task(link, name, SessionInitializationBehavior.INITIALIZE_SERVER_SESSION)


def clear_left(link: Any, name: str) -> bool:
    """Clear the task ``name`` that somebody left at the server; whether there was one. Raises the client's errors."""
    try:
        left = _task(link, name, SessionInitializationBehavior.ATTACH_TO_SERVER_SESSION)
    except RpcError as error:
        if getattr(error.rpc_code, "name", "") == NO_SUCH_SESSION:
            return False
        raise
    left.close()
    return True


def _task(link: Any, name: str, behaviour: SessionInitializationBehavior) -> Any:
    return nidaqmx.Task(name, grpc_options=nidaqmx.GrpcSessionOptions(link, name, initialization_behavior=behaviour))
