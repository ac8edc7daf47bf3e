"""The vendor's C library, emulated as a table of Python functions: a local board for the unmodified client.

What a function does is what the call of the same name does at the device server; here only arguments are translated.
A function takes the fields of that call's request in their order, then where to put what comes back, then a reserved
``None``; it returns 0, or an error code whose text is asked for afterwards.
"""

import ctypes
import re
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import SimpleNamespace, TracebackType
from typing import Any

import numpy as np
from nidaqmx._lib import DaqFunctionImporter, lib_importer
from nidaqmx._stubs import nidaqmx_pb2

from drivers.simulated.board import Board
from drivers.simulated.daq_errors import BoardError, text_of
from drivers.simulated.daqmx import Daqmx, DaqTask
from drivers.simulated.daqmx_calls import DaqmxCalls
from drivers.simulated.nidaq_requests import Fields, NotModelled

ATTRIBUTE_NOT_SUPPORTED = -200452

_IMPORTER_STATE = ("_windll", "_cdll", "_encoding")


class NidaqLibrary:
    """``boards`` are local to this process from ``__enter__`` to ``__exit__``; nothing goes over a wire."""

    def __init__(self, boards: Sequence[Board]) -> None:
        self._daqmx = Daqmx(boards)
        self._calls = DaqmxCalls(self._daqmx).by_name()
        self._own: dict[str, Callable[..., int]] = {
            "CreateTask": self._new_task,
            "SetRuntimeEnvironment": lambda *_: 0,
            "InternalGetLastCreatedChan": self._last_created,
            "GetExtendedErrorInfo": self._last_error,
            "GetErrorString": self._error_string,
        }
        self._functions: dict[str, Function] = {}
        self._names: dict[int, str] = {}
        self._next_handle = 1
        self._of_thread = threading.local()
        self._lock = threading.Lock()
        self._before: dict[str, Any] = {}

    def __enter__(self) -> "NidaqLibrary":
        importer = DaqFunctionImporter(self)
        self._before = {name: getattr(lib_importer, name) for name in _IMPORTER_STATE}
        lib_importer._windll = lib_importer._cdll = importer
        lib_importer._encoding = "utf-8"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name, value in self._before.items():
            setattr(lib_importer, name, value)
        self._daqmx.shut_down()

    def __getattr__(self, name: str) -> "Function":
        """The function ``DAQmx...``; a missing one is an ``AttributeError``, as of a library that is too old."""
        call = name.removeprefix("DAQmx")
        if call == name or not self._known(call):
            raise AttributeError(name)
        with self._lock:
            return self._functions.setdefault(call, Function(self, call))

    def call(self, name: str, arguments: Sequence[Any]) -> int:
        self._daqmx.wait_while_hung()
        try:
            code = self._answer(name, arguments)
        except BoardError as error:
            code = error.code
            self._of_thread.error = f"{error}\n\nStatus Code: {error.code}"
        except NotModelled as error:
            code = ATTRIBUTE_NOT_SUPPORTED
            self._of_thread.error = f"{error}\n\nStatus Code: {code}"
        self._daqmx.wait_while_hung()
        return code

    def _answer(self, name: str, arguments: Sequence[Any]) -> int:
        if name in self._own:
            return self._own[name](*arguments)
        if match := re.fullmatch(r"(Get|Set)(\w+)Attribute", name):
            return self._attribute(match[1], match[2], arguments)
        if name.startswith("Read"):
            return self._read(name, arguments)
        return self._plain(name, arguments)

    def _known(self, name: str) -> bool:
        if name in self._own or name in self._calls:
            return True
        return name.endswith("Attribute") and any(call.startswith(name) for call in self._calls)

    def _plain(self, name: str, arguments: Sequence[Any]) -> int:
        """The request's fields first, then one place for each field of the reply but its status."""
        method = nidaqmx_pb2.DESCRIPTOR.services_by_name["NiDAQmx"].methods_by_name[name]
        names = _field_names(method.input_type)
        request = self._request(names, arguments)
        created = self._created_by(name, request)
        reply = self._calls[name](request)
        if created is not None:
            task, before = created
            self._of_thread.last_created = ", ".join(task.channel_names[before:])
        outputs = [field.name for field in method.output_type.fields if field.name != "status"]
        for field, place in zip(outputs, arguments[len(names) :], strict=False):
            if place is not None and field in reply:
                place._obj.value = reply[field]
        return int(reply.get("status", 0))

    def _created_by(self, name: str, request: Any) -> tuple[DaqTask, int] | None:
        if not (name.startswith("Create") and hasattr(request, "task")):
            return None
        task = self._daqmx.task(request.task.name)
        return task, len(task.channel_names)

    def _read(self, name: str, arguments: Sequence[Any]) -> int:
        """The array stands before its size, where the request has the size alone."""
        *first, array, size, n_read, _ = arguments
        method = nidaqmx_pb2.DESCRIPTOR.services_by_name["NiDAQmx"].methods_by_name[name]
        reply = self._calls[name](self._request(_field_names(method.input_type), [*first, size]))
        array.reshape(-1)[: len(reply["read_array"])] = reply["read_array"]
        n_read._obj.value = reply["samps_per_chan_read"]
        return self._told(int(reply["status"]))

    def _attribute(self, verb: str, group: str, arguments: Sequence[Any]) -> int:
        """One function for all types: what to do shows in how the value is passed."""
        calls = [call for call in self._calls if re.fullmatch(rf"{verb}{group}Attribute[A-Z]\w*", call)]
        method = nidaqmx_pb2.DESCRIPTOR.services_by_name["NiDAQmx"].methods_by_name[calls[0]]
        names = [name for name in _field_names(method.input_type) if name != "value"]
        request = self._request(names, arguments)
        if verb == "Set":
            request.value = request.value_raw = _plain_value(arguments[len(names)])
            self._calls[calls[0]](request)
            return 0
        reply = self._calls[calls[0]](request)
        return _hand_out(reply.get("value", reply.get("value_raw")), arguments[len(names) :])

    def _request(self, names: Sequence[str], arguments: Sequence[Any]) -> SimpleNamespace:
        fields: Fields = {}
        for name, argument in zip(names, arguments, strict=False):
            fields[name] = fields[f"{name}_raw"] = self._field(name, argument)
        return SimpleNamespace(**fields)

    def _field(self, name: str, argument: Any) -> Any:
        if name != "task":
            return _plain_value(argument)
        return SimpleNamespace(name=self._names.get(argument.value or 0, ""))

    def _told(self, code: int) -> int:
        if code < 0:
            self._of_thread.error = f"{text_of(code)}\n\nStatus Code: {code}"
        return code

    def _new_task(self, name: str, handle: Any) -> int:
        task, _ = self._daqmx.create_task(name)
        with self._lock:
            number, self._next_handle = self._next_handle, self._next_handle + 1
            self._names[number] = task.name
        handle._obj.value = number
        return 0

    def _last_created(self, buffer: Any, size: int) -> int:
        return _hand_out(getattr(self._of_thread, "last_created", ""), (buffer, size))

    def _last_error(self, buffer: Any, size: int) -> int:
        return _hand_out(getattr(self._of_thread, "error", "")[: size - 1], (buffer, size))

    def _error_string(self, code: int, buffer: Any, size: int) -> int:
        return _hand_out(text_of(code)[: size - 1], (buffer, size))


class Function:
    """One entry of the table, with the attributes that the client sets on a ctypes function."""

    def __init__(self, library: NidaqLibrary, name: str) -> None:
        self.argtypes: Any = None
        self.restype: Any = None
        self.arg_lock = threading.Lock()
        self._library = library
        self._name = name

    def __call__(self, *arguments: Any) -> int:
        return self._library.call(self._name, arguments)


def _hand_out(value: Any, places: Sequence[Any]) -> int:
    """Into a scalar by reference, or into a buffer; a buffer of size 0 asks for the size that is needed."""
    if len(places) == 1:
        places[0]._obj.value = value
        return 0
    buffer, size = places
    if isinstance(value, str):
        encoded = value.encode()
        if size == 0:
            return len(encoded) + 1
        buffer.value = encoded
        return 0
    array = np.asarray(value, np.float64 if any(isinstance(item, float) for item in value) else np.int32)
    if size == 0:
        return int(array.size)
    ctypes.memmove(buffer, array.ctypes.data, array.nbytes)
    return 0


def _plain_value(argument: Any) -> Any:
    with suppress(AttributeError):
        return argument.value  # a ctypes scalar
    return argument


def _field_names(message: Any) -> list[str]:
    """An enumeration is one argument, and two fields of a request: its name, and the same with `_raw`."""
    return [field.name for field in message.fields if not field.name.endswith("_raw")]
