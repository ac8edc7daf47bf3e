"""The gRPC front of emulated NI boards, as NI's own device server answers: the unmodified client works against it."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any

import grpc
from google.protobuf.message_factory import GetMessageClass
from nidaqmx._stubs import nidaqmx_pb2

from drivers.simulated.board import Board
from drivers.simulated.daq_errors import BoardError
from drivers.simulated.daqmx import Daqmx
from drivers.simulated.daqmx_calls import DaqmxCalls, Handler
from drivers.simulated.nidaq_requests import NotModelled, SessionRefused

SERVICE = "nidaqmx_grpc.NiDAQmx"

WORKERS = 32
"""Every blocking read holds one; a pool that is too small stops answering altogether."""


class NidaqServer:
    """Serves ``boards`` on loopback from ``__enter__`` to ``__exit__``."""

    def __init__(self, boards: Sequence[Board]) -> None:
        self._daqmx = Daqmx(boards)
        self._workers = ThreadPoolExecutor(WORKERS, thread_name_prefix="nidaq server")
        unlimited = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
        self._server = grpc.server(self._workers, options=[("grpc.so_reuseport", 0), *unlimited])
        handlers = {name: self._method(name, handle) for name, handle in DaqmxCalls(self._daqmx).by_name().items()}
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
        self.port: int = self._server.add_insecure_port("127.0.0.1:0")

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def __enter__(self) -> "NidaqServer":
        self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        stopped = self._server.stop(grace=None)
        self._daqmx.shut_down()
        stopped.wait()
        self._workers.shutdown(wait=False)

    def _method(self, name: str, handle: Handler) -> Any:
        """An RPC method around ``handle``, which turns a request into the fields of the reply."""
        method = nidaqmx_pb2.DESCRIPTOR.services_by_name["NiDAQmx"].methods_by_name[name]
        request, reply = GetMessageClass(method.input_type), GetMessageClass(method.output_type)
        counted = [f"ni-samps-per-chan-{verb}" for verb in ("read", "written") if _counts(method, verb)]

        def answer(message: Any, context: Any) -> Any:
            self._daqmx.wait_while_hung()
            try:
                fields = handle(message)
            except BoardError as error:
                self._daqmx.wait_while_hung()
                context.set_trailing_metadata((("ni-error", str(error.code)), *((name, "0") for name in counted)))
                context.abort(grpc.StatusCode.UNKNOWN, str(error))
            except SessionRefused as error:
                context.abort(grpc.StatusCode[error.status], str(error))
            except NotModelled as error:
                context.abort(grpc.StatusCode.UNIMPLEMENTED, str(error))
            self._daqmx.wait_while_hung()
            return reply(**fields)

        return grpc.unary_unary_rpc_method_handler(answer, request.FromString, reply.SerializeToString)


def _counts(method: Any, verb: str) -> bool:
    """Whether the method answers how many samples were read or written."""
    return f"samps_per_chan_{verb}" in method.output_type.fields_by_name
