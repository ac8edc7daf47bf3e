"""The gRPC front of emulated NI boards, as NI's own device server answers: the unmodified client works against it."""

import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any

import grpc
import numpy as np
from google.protobuf.message_factory import GetMessageClass
from nidaqmx._stubs import nidaqmx_pb2
from session_pb2 import Session

from drivers.simulated.analogue_input import AnalogInput, SampleMode
from drivers.simulated.board import Board
from drivers.simulated.daq_attributes import CHANNEL, DEVICE, INPUT, SETTABLE, SYSTEM, TASK, Value
from drivers.simulated.daq_errors import BoardError, DaqCode, text_of
from drivers.simulated.daqmx import Daqmx, expand

SERVICE = "nidaqmx_grpc.NiDAQmx"

WORKERS = 32
"""Every blocking read holds one; a pool that is too small stops answering altogether."""

ATTACH_OR_NEW = 0
ATTACH_ONLY = 2

Fields = dict[str, Any]
Handler = Callable[[Any], Fields]


class NotModelled(LookupError):
    """The emulation does not know this property; the client hears UNIMPLEMENTED."""


class NidaqServer:
    """Serves ``boards`` on loopback from ``__enter__`` to ``__exit__``."""

    def __init__(self, boards: Sequence[Board]) -> None:
        self._daqmx = Daqmx(boards)
        self._workers = ThreadPoolExecutor(WORKERS, thread_name_prefix="nidaq server")
        unlimited = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
        self._server = grpc.server(self._workers, options=[("grpc.so_reuseport", 0), *unlimited])
        handlers = {name: self._method(name, handle) for name, handle in self._handlers().items()}
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
        reads = "samps_per_chan_read" in method.output_type.fields_by_name

        def answer(message: Any, context: Any) -> Any:
            self._daqmx.wait_while_hung()
            try:
                fields = handle(message)
            except BoardError as error:
                count = (("ni-samps-per-chan-read", "0"),) if reads else ()
                self._daqmx.wait_while_hung()
                context.set_trailing_metadata((("ni-error", str(error.code)), *count))
                context.abort(grpc.StatusCode.UNKNOWN, str(error))
            except NotModelled as error:
                context.abort(grpc.StatusCode.UNIMPLEMENTED, str(error))
            self._daqmx.wait_while_hung()
            return reply(**fields)

        return grpc.unary_unary_rpc_method_handler(answer, request.FromString, reply.SerializeToString)

    def _handlers(self) -> dict[str, Handler]:
        written = {
            "CreateTask": self._create_task,
            "ClearTask": self._clear_task,
            "StartTask": self._on_input(lambda ai, request: ai.start()),
            "StopTask": self._on_input(lambda ai, request: ai.stop()),
            "TaskControl": self._on_input(_control),
            "IsTaskDone": self._is_task_done,
            "WaitUntilTaskDone": self._on_input(lambda ai, request: ai.wait_until_done(request.time_to_wait)),
            "CreateAIVoltageChan": self._create_ai_voltage_chan,
            "CfgSampClkTiming": self._on_input(_configure_clock),
            "ReadAnalogF64": self._read_analog_f64,
            "ReadBinaryI16": self._read_binary_i16,
            "GetErrorString": lambda request: {"error_string": text_of(request.error_code)},
            "ResetDevice": self._on_device,
            "SelfTestDevice": self._on_device,
        }
        return written | self._attribute_handlers()

    def _attribute_handlers(self) -> dict[str, Handler]:
        """Getters and setters of every value type, found in the service's own description."""
        groups = {"SystemInfo", "Device", "Task", "Chan", *INPUT}
        handlers: dict[str, Handler] = {}
        for method in nidaqmx_pb2.DESCRIPTOR.services_by_name["NiDAQmx"].methods:
            match = re.fullmatch(r"(Get|Set)([A-Z][a-z]+(?:Info)?)Attribute([A-Z]\w*)", method.name)
            if match and match[2] in groups and not match[3].startswith("Ex"):
                if match[1] == "Set":
                    handlers[method.name] = self._setter(match[2])
                else:
                    handlers[method.name] = self._getter(match[2], method.output_type.fields_by_name)
        return handlers

    def _getter(self, group: str, reply_fields: Mapping[str, Any]) -> Handler:
        field = "value_raw" if "value_raw" in reply_fields else "value"

        def get(request: Any) -> Fields:
            number = request.attribute_raw or request.attribute
            try:
                return {field: self._value(group, number, request)}
            except KeyError:
                raise NotModelled(f"the emulated board does not model the {group} property {number:#06x}") from None

        return get

    def _value(self, group: str, number: int, request: Any) -> Value:
        if group == "SystemInfo":
            return SYSTEM[number](self._daqmx)
        if group == "Device":
            return DEVICE[number](self._daqmx.board(request.device_name))
        task = self._daqmx.task(request.task.name)
        if group == "Task":
            return TASK[number](task)
        if group == "Chan":
            # Asked about several channels at once, a property has one value: that of the first.
            return CHANNEL[number](task.ai, task.ai.channel(expand(request.channel)[0]))
        return INPUT[group][number](task.ai)

    def _setter(self, group: str) -> Handler:
        def set_value(request: Any) -> Fields:
            number = request.attribute_raw or request.attribute
            if (group, number) not in SETTABLE:
                raise NotModelled(f"the emulated board does not let the {group} property {number:#06x} be set")
            SETTABLE[group, number](self._daqmx.task(request.task.name).ai, request.value)
            return {}

        return set_value

    def _on_input(self, act: Callable[[AnalogInput, Any], None]) -> Handler:
        def acted(request: Any) -> Fields:
            act(self._daqmx.task(request.task.name).ai, request)
            return {}

        return acted

    def _on_device(self, request: Any) -> Fields:
        self._daqmx.board(request.device_name)
        return {}

    def _create_task(self, request: Any) -> Fields:
        if request.initialization_behavior == ATTACH_ONLY:
            return {"task": Session(name=self._daqmx.task(request.session_name).name)}
        task, new = self._daqmx.create_task(
            request.session_name, new_only=request.initialization_behavior != ATTACH_OR_NEW
        )
        return {"task": Session(name=task.name), "new_session_initialized": new}

    def _clear_task(self, request: Any) -> Fields:
        self._daqmx.clear_task(request.task.name)
        return {}

    def _is_task_done(self, request: Any) -> Fields:
        return {"is_task_done": self._daqmx.task(request.task.name).ai.done}

    def _create_ai_voltage_chan(self, request: Any) -> Fields:
        self._daqmx.add_voltage_inputs(
            self._daqmx.task(request.task.name),
            request.physical_channel,
            request.name_to_assign_to_channel,
            request.terminal_config_raw or request.terminal_config,
            request.min_val,
            request.max_val,
        )
        return {}

    def _read_analog_f64(self, request: Any) -> Fields:
        ai = self._daqmx.task(request.task.name).ai

        def volts(counts: np.ndarray[Any, np.dtype[np.int16]]) -> np.ndarray[Any, Any]:
            scaled = np.empty(counts.shape)
            for row, channel_counts, channel in zip(scaled, counts, ai.channels, strict=True):
                row[:] = np.polynomial.polynomial.polyval(channel_counts, ai.board.coefficients(channel.range_v))
            return scaled

        return _read(ai, request, volts)

    def _read_binary_i16(self, request: Any) -> Fields:
        return _read(self._daqmx.task(request.task.name).ai, request, lambda counts: counts)


def _read(ai: AnalogInput, request: Any, scaled: Callable[[Any], np.ndarray[Any, Any]]) -> Fields:
    """Samples packed by channel or by scan, and zeros up to the size of the client's array."""
    wanted = ai.default_read_size if request.num_samps_per_chan < 0 else request.num_samps_per_chan
    if wanted * len(ai.channels) > request.array_size_in_samps:
        raise BoardError(DaqCode.READ_BUFFER_TOO_SMALL)
    reading = ai.read(wanted, request.timeout)
    samples = scaled(reading.counts)
    by_scan = bool(request.fill_mode_raw or request.fill_mode)
    packed = (samples.T if by_scan else samples).ravel().tolist()
    padding = [0] * (request.array_size_in_samps - len(packed))
    return {
        "status": int(reading.code),
        "read_array": packed + padding,
        "samps_per_chan_read": reading.counts.shape[1],
    }


def _configure_clock(ai: AnalogInput, request: Any) -> None:
    try:
        mode = SampleMode(request.sample_mode_raw or request.sample_mode)
    except ValueError:
        raise BoardError(DaqCode.INVALID_ATTRIBUTE_VALUE, f"sample mode {request.sample_mode_raw}") from None
    ai.set_clock(request.rate, mode, request.samps_per_chan)


def _control(ai: AnalogInput, request: Any) -> None:
    """Start, stop, verify, commit, reserve, unreserve, abort, in the vendor's order."""
    actions = (ai.start, ai.stop, ai.verify, ai.reserve, ai.reserve, ai.unreserve, ai.unreserve)
    actions[request.action_raw or request.action]()
