"""What each call of NI-DAQmx does to the emulated boards, by its name: a front end only brings requests and replies.

A request is anything with the fields of the vendor's message; a reply is a dictionary of them.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from nidaqmx._stubs import nidaqmx_pb2
from session_pb2 import Session

from drivers.simulated.daq_attributes import DEVICE, SETTABLE, SYSTEM, TASK, TASK_GROUPS, Value, of_channel, of_task
from drivers.simulated.daq_errors import BoardError, DaqCode, text_of
from drivers.simulated.daqmx import Daqmx, Work, expand
from drivers.simulated.nidaq_requests import (
    Fields,
    NotModelled,
    SessionRefused,
    configure_clock,
    configure_pulses,
    configure_start,
    control,
    read_samples,
)

IDLE_LOW = 10214

NEW_ONLY = 1
ATTACH_ONLY = 2

Handler = Callable[[Any], Fields]


class DaqmxCalls:
    """Handlers raise ``BoardError`` with the vendor's code, and ``NotModelled``."""

    def __init__(self, daqmx: Daqmx) -> None:
        self._daqmx = daqmx

    def by_name(self) -> dict[str, Handler]:
        """Every call that the emulation answers."""
        written = {
            "CreateTask": self._create_task,
            "ClearTask": self._clear_task,
            "StartTask": self._on_task(lambda work, request: work.start()),
            "StopTask": self._on_task(lambda work, request: work.stop()),
            "TaskControl": self._on_task(control),
            "IsTaskDone": self._is_task_done,
            "WaitUntilTaskDone": self._on_task(lambda work, request: work.wait_until_done(request.time_to_wait)),
            "CreateAIVoltageChan": self._create_ai_voltage_chan,
            "CreateAOVoltageChan": self._create_ao_voltage_chan,
            "CreateCOPulseChanTime": self._create_co_pulse_chan_time,
            "CreateDOChan": self._create_do_chan,
            "CfgSampClkTiming": self._on_task(configure_clock),
            "CfgImplicitTiming": self._on_task(configure_pulses),
            "CfgDigEdgeStartTrig": self._on_task(configure_start),
            "ReadAnalogF64": self._read_analog_f64,
            "ReadBinaryI16": self._read_binary_i16,
            "WriteAnalogF64": self._write_analog_f64,
            "WriteDigitalLines": self._write_digital_lines,
            "GetErrorString": lambda request: {"error_string": text_of(request.error_code)},
            "ResetDevice": self._on_device,
            "SelfTestDevice": self._on_device,
        }
        return written | self._attribute_handlers()

    def _attribute_handlers(self) -> dict[str, Handler]:
        """Getters and setters of every value type, found in the service's own description."""
        groups = {"SystemInfo", "Device", "Task", "Chan", *TASK_GROUPS}
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
            return of_channel(task.work, expand(request.channel)[0], number)
        return of_task(task.work, group, number)

    def _setter(self, group: str) -> Handler:
        def set_value(request: Any) -> Fields:
            number = request.attribute_raw or request.attribute
            if (group, number) not in SETTABLE:
                raise NotModelled(f"the emulated board does not let the {group} property {number:#06x} be set")
            SETTABLE[group, number](self._daqmx.task(request.task.name).ai, request.value)
            return {}

        return set_value

    def _on_task(self, act: Callable[[Work, Any], None]) -> Handler:
        def acted(request: Any) -> Fields:
            act(self._daqmx.task(request.task.name).work, request)
            return {}

        return acted

    def _on_device(self, request: Any) -> Fields:
        self._daqmx.board(request.device_name)
        return {}

    def _create_task(self, request: Any) -> Fields:
        """Sessions are the server's own matter: a name that is taken, or missing, never reaches the driver."""
        name, behaviour = request.session_name, request.initialization_behavior
        there = self._daqmx.has_task(name)
        if behaviour == NEW_ONLY and there:
            raise SessionRefused("ALREADY_EXISTS", f"{name!r} is a session already")
        if behaviour == ATTACH_ONLY and not there:
            raise SessionRefused("FAILED_PRECONDITION", f"{name!r} is no session that could be attached to")
        task, new = self._daqmx.create_task(name, new_only=behaviour == NEW_ONLY)
        return {"task": Session(name=task.name), "new_session_initialized": new}

    def _clear_task(self, request: Any) -> Fields:
        self._daqmx.clear_task(request.task.name)
        return {}

    def _is_task_done(self, request: Any) -> Fields:
        return {"is_task_done": self._daqmx.task(request.task.name).work.done}

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

    def _create_ao_voltage_chan(self, request: Any) -> Fields:
        self._daqmx.add_voltage_outputs(
            self._daqmx.task(request.task.name),
            request.physical_channel,
            request.name_to_assign_to_channel,
            request.min_val,
            request.max_val,
        )
        return {}

    def _create_co_pulse_chan_time(self, request: Any) -> Fields:
        if (request.idle_state_raw or request.idle_state) != IDLE_LOW:
            raise NotModelled("the emulated counters idle low only")
        self._daqmx.add_pulse_output(
            self._daqmx.task(request.task.name),
            request.counter,
            request.name_to_assign_to_channel,
            request.initial_delay,
            request.low_time,
            request.high_time,
        )
        return {}

    def _create_do_chan(self, request: Any) -> Fields:
        self._daqmx.add_digital_output(
            self._daqmx.task(request.task.name), request.lines, request.name_to_assign_to_lines
        )
        return {}

    def _write_analog_f64(self, request: Any) -> Fields:
        ao = self._daqmx.task(request.task.name).ao
        values, n = np.array(request.write_array, np.float64), request.num_samps_per_chan
        if values.size != n * len(ao.channels):
            raise BoardError(DaqCode.WRITE_NUM_CHANS_MISMATCH)
        by_scan = bool(request.data_layout_raw or request.data_layout)
        volts = values.reshape(n, -1).T if by_scan else values.reshape(-1, n)
        return {"samps_per_chan_written": ao.write(volts, auto_start=request.auto_start)}

    def _write_digital_lines(self, request: Any) -> Fields:
        do = self._daqmx.task(request.task.name).do
        levels = np.frombuffer(request.write_array, np.uint8).astype(np.bool_)
        return {"samps_per_chan_written": do.write(levels, auto_start=request.auto_start)}

    def _read_analog_f64(self, request: Any) -> Fields:
        ai = self._daqmx.task(request.task.name).ai

        def volts(counts: np.ndarray[Any, np.dtype[np.int16]]) -> np.ndarray[Any, Any]:
            scaled = np.empty(counts.shape)
            for row, channel_counts, channel in zip(scaled, counts, ai.channels, strict=True):
                row[:] = np.polynomial.polynomial.polyval(channel_counts, ai.board.coefficients(channel.range_v))
            return scaled

        return read_samples(ai, request, volts)

    def _read_binary_i16(self, request: Any) -> Fields:
        return read_samples(self._daqmx.task(request.task.name).ai, request, lambda counts: counts)
