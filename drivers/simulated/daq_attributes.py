"""The properties of an emulated board that a client may ask for or set, by the vendor's numbers."""

from collections.abc import Callable, Mapping

from drivers.simulated.analogue_input import AiChannel, AnalogInput
from drivers.simulated.analogue_output import AnalogOutput, AoChannel
from drivers.simulated.board import Board
from drivers.simulated.counter_output import CoChannel, CounterOutput
from drivers.simulated.daqmx import VERSION, Daqmx, DaqTask, Work
from drivers.simulated.digital_output import DigitalOutput
from drivers.simulated.products import Outputs

Value = bool | int | float | str | list[float]

SYSTEM: Mapping[int, Callable[[Daqmx], Value]] = {
    0x1272: lambda _: VERSION[0],
    0x1923: lambda _: VERSION[1],
    0x2F22: lambda _: VERSION[2],
    0x193B: lambda system: ", ".join(system.device_names),
}

DEVICE: Mapping[int, Callable[[Board], Value]] = {
    0x0631: lambda board: board.product.name,
    0x0632: lambda board: board.serial_number,
    0x22CA: lambda board: False,
    0x231E: lambda board: ", ".join(board.pins),
    0x231F: lambda board: ", ".join(board.outputs.analogue),
    0x2325: lambda board: ", ".join(board.outputs.counters),
    0x2322: lambda board: ", ".join(board.outputs.digital),
    0x2996: lambda board: board.product.outputs.timed,
    0x2997: lambda board: board.product.outputs.rate_hz,
    0x299B: lambda board: _output_ranges_v(board.product.outputs),
    0x298C: lambda board: board.product.single_rate_hz,
    0x298D: lambda board: board.product.aggregate_rate_hz,
    0x298F: lambda board: board.product.simultaneous,
    0x2990: lambda board: [limit_v for range_v in board.product.ranges_v for limit_v in (-range_v, range_v)],
}

TASK: Mapping[int, Callable[[DaqTask], Value]] = {
    0x1276: lambda task: task.name,
    0x1273: lambda task: ", ".join(task.channel_names),
    0x2181: lambda task: len(task.channel_names),
    0x230E: lambda task: ", ".join(board.name for board in task.boards),
    0x29BA: lambda task: len(task.boards),
}

INPUT: Mapping[str, Mapping[int, Callable[[AnalogInput], Value]]] = {
    "Read": {
        0x217B: lambda ai: len(ai.channels),
        0x1823: lambda ai: ", ".join(channel.name for channel in ai.channels),
        0x1221: lambda ai: ai.position,
        0x192A: lambda ai: ai.acquired,
        0x1223: lambda ai: ai.available,
        0x31E8: lambda ai: ai.default_read_size,
        0x1211: lambda ai: 10159,  # unread samples are never overwritten
        0x2174: lambda ai: False,
    },
    "Buffer": {0x186C: lambda ai: ai.buffer_size},
    "Timing": {
        0x1344: lambda ai: ai.rate_hz,
        0x1300: lambda ai: int(ai.mode),
        0x1310: lambda ai: ai.samples_per_channel,
        0x1347: lambda ai: 10388,  # the sample clock
    },
    "Trig": {0x1393: lambda ai: 10230},  # none
}

FINITE = 10178

ANALOGUE_OUTPUT: Mapping[str, Mapping[int, Callable[[AnalogOutput], Value]]] = {
    "Write": {0x217E: lambda ao: len(ao.channels)},
    "Buffer": {0x230B: lambda ao: ao.memory},
    "Timing": {
        0x1344: lambda ao: ao.rate_hz,
        0x1300: lambda ao: FINITE,
        0x1310: lambda ao: ao.samples_per_channel,
    },
}

COUNTER_OUTPUT: Mapping[str, Mapping[int, Callable[[CounterOutput], Value]]] = {
    "Timing": {0x1300: lambda co: FINITE, 0x1310: lambda co: co.n_pulses or 1},
}

DIGITAL_OUTPUT: Mapping[str, Mapping[int, Callable[[DigitalOutput], Value]]] = {
    "Write": {0x217E: lambda do: 1, 0x217F: lambda do: 1},  # one line, so one boolean for each sample
}

CHANNEL: Mapping[int, Callable[[AnalogInput, AiChannel], Value]] = {
    0x187F: lambda ai, channel: 10100,  # analogue input
    0x0695: lambda ai, channel: 10322,  # of a voltage
    0x18F5: lambda ai, channel: ai.board.pins[channel.pin],
    0x17DD: lambda ai, channel: channel.high_v,
    0x17DE: lambda ai, channel: channel.low_v,
    0x1815: lambda ai, channel: channel.range_v,
    0x1816: lambda ai, channel: -channel.range_v,
    0x1097: lambda ai, channel: int(channel.terminal),
    0x1765: lambda ai, channel: 16.0,
    0x1930: lambda ai, channel: list(ai.board.coefficients(channel.range_v)),
}

ANALOGUE_OUTPUT_CHANNEL: Mapping[int, Callable[[AnalogOutput, AoChannel], Value]] = {
    0x187F: lambda ao, channel: 10102,  # analogue output
    0x18F5: lambda ao, channel: channel.physical,
    0x1186: lambda ao, channel: channel.high_v,
    0x1187: lambda ao, channel: channel.low_v,
    0x182D: lambda ao, channel: ao.board.product.outputs.low_v,
    0x182E: lambda ao, channel: ao.board.product.outputs.high_v,
    0x182C: lambda ao, channel: float(ao.board.product.outputs.bits),
    0x182B: lambda ao, channel: 10109,  # in bits
}

COUNTER_OUTPUT_CHANNEL: Mapping[int, Callable[[CounterOutput, CoChannel], Value]] = {
    0x187F: lambda co, channel: 10132,  # counter output
    0x18F5: lambda co, channel: channel.physical,
    0x18BA: lambda co, channel: channel.high_ticks / co.timebase_hz,
    0x18BB: lambda co, channel: channel.low_ticks / co.timebase_hz,
}

DIGITAL_OUTPUT_CHANNEL: Mapping[int, Callable[[DigitalOutput], Value]] = {
    0x187F: lambda do: 10153,  # digital output
    0x18F5: lambda do: do.physical,
    0x2179: lambda do: 1,  # lines
}

TASK_GROUPS = frozenset({*INPUT, *ANALOGUE_OUTPUT, *COUNTER_OUTPUT, *DIGITAL_OUTPUT})
"""Kinds of properties that belong to what a task does."""


def of_task(work: Work, group: str, number: int) -> Value:
    """Raises ``KeyError`` for a property that is not modelled."""
    match work:
        case AnalogInput():
            return INPUT[group][number](work)
        case AnalogOutput():
            return ANALOGUE_OUTPUT[group][number](work)
        case CounterOutput():
            return COUNTER_OUTPUT[group][number](work)
        case DigitalOutput():
            return DIGITAL_OUTPUT[group][number](work)


def of_channel(work: Work, name: str, number: int) -> Value:
    """Raises ``KeyError`` for a property that is not modelled."""
    match work:
        case AnalogInput():
            return CHANNEL[number](work, work.channel(name))
        case AnalogOutput():
            return ANALOGUE_OUTPUT_CHANNEL[number](work, work.channel(name))
        case CounterOutput():
            return COUNTER_OUTPUT_CHANNEL[number](work, work.channel)
        case DigitalOutput():
            return DIGITAL_OUTPUT_CHANNEL[number](work)


def _output_ranges_v(outputs: Outputs) -> list[float]:
    narrow = [limit_v for range_v in outputs.narrow_ranges_v for limit_v in (-range_v, range_v)]
    return [*narrow, outputs.low_v, outputs.high_v]


SETTABLE: Mapping[tuple[str, int], Callable[[AnalogInput, int], None]] = {
    ("Buffer", 0x186C): lambda ai, n_samples: ai.set_buffer_size(n_samples),
}
