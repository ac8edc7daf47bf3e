"""The properties of an emulated board that a client may ask for or set, by the vendor's numbers."""

from collections.abc import Callable, Mapping

from drivers.simulated.analogue_input import AiChannel, AnalogInput
from drivers.simulated.board import Board
from drivers.simulated.daqmx import VERSION, Daqmx, DaqTask

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

SETTABLE: Mapping[tuple[str, int], Callable[[AnalogInput, int], None]] = {
    ("Buffer", 0x186C): lambda ai, n_samples: ai.set_buffer_size(n_samples),
}
