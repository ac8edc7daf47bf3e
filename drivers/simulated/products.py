"""NI boards as their data sheets describe their inputs and outputs; only what a task can notice."""

from dataclasses import dataclass, replace
from enum import IntEnum


class Terminal(IntEnum):
    """How an input is referred to ground, with the vendor's numbers."""

    DEFAULT = -1
    RSE = 10083
    NRSE = 10078
    DIFFERENTIAL = 10106
    PSEUDODIFFERENTIAL = 12529


MULTIPLEXED_TERMINALS = frozenset({Terminal.RSE, Terminal.NRSE, Terminal.DIFFERENTIAL})


@dataclass(frozen=True, slots=True)
class Outputs:
    """Everything of a board that puts out; ``memory`` is in samples, over all analogue outputs of a task."""

    n_analogue: int
    n_counters: int
    n_lines: int
    low_v: float = -10.0
    high_v: float = 10.0
    bits: int = 16
    rate_hz: float = 250e3
    memory: int = 8191
    timed: bool = True
    """Whether the analogue outputs have a sample clock; without one, software times every value."""
    clocked_lines: bool = False
    counters_paired: bool = False
    """Whether a finite train of pulses takes two counters."""
    narrow_ranges_v: tuple[float, ...] = ()
    """Further ranges, each symmetrical about 0 V, that the board itself chooses for small signals."""

    @property
    def step_v(self) -> float:
        return (self.high_v - self.low_v) / (1 << self.bits)


M_SERIES_USB = Outputs(n_analogue=2, n_counters=2, n_lines=8, counters_paired=True)
X_SERIES = Outputs(n_analogue=2, n_counters=4, n_lines=8, rate_hz=900e3, clocked_lines=True)


@dataclass(frozen=True, slots=True)
class Product:
    name: str
    n_pins: int
    ranges_v: tuple[float, ...]
    """Ascending, each one symmetrical about 0 V."""
    single_rate_hz: float
    aggregate_rate_hz: float
    """Over all channels of a multiplexed board; of every channel of a simultaneous one."""
    timebase_hz: int
    simultaneous: bool = False
    terminals: frozenset[Terminal] = MULTIPLEXED_TERMINALS
    outputs: Outputs = M_SERIES_USB

    def max_rate_hz(self, n_channels: int) -> float:
        if n_channels == 1 or self.simultaneous:
            return self.single_rate_hz
        return self.aggregate_rate_hz / n_channels


M_SERIES_RANGES_V = (0.2, 1.0, 5.0, 10.0)
X_SERIES_RANGES_V = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)

USB_6211 = Product("USB-6211", 16, M_SERIES_RANGES_V, 250e3, 250e3, 80_000_000)
USB_6212 = Product("USB-6212", 16, M_SERIES_RANGES_V, 250e3, 250e3, 80_000_000)
PCIE_6321 = Product("PCIe-6321", 16, M_SERIES_RANGES_V, 250e3, 250e3, 100_000_000, outputs=X_SERIES)
PCIE_6351 = Product(
    "PCIe-6351", 16, X_SERIES_RANGES_V, 1250e3, 1000e3, 100_000_000, outputs=replace(X_SERIES, narrow_ranges_v=(5.0,))
)
USB_6356 = Product(
    "USB-6356",
    8,
    (1.0, 2.0, 5.0, 10.0),
    1250e3,
    1250e3,
    100_000_000,
    simultaneous=True,
    terminals=frozenset({Terminal.PSEUDODIFFERENTIAL}),
    outputs=X_SERIES,
)
USB_6008 = Product(
    "USB-6008",
    8,
    (1.0, 1.25, 2.0, 2.5, 4.0, 5.0, 10.0, 20.0),
    10e3,
    10e3,
    24_000_000,
    outputs=Outputs(n_analogue=2, n_counters=0, n_lines=8, low_v=0.0, high_v=5.0, bits=12, rate_hz=150.0, timed=False),
)
"""Its outputs are timed by software: unfit for a train."""

PRODUCTS = {product.name: product for product in (USB_6211, USB_6212, PCIE_6321, PCIE_6351, USB_6356, USB_6008)}
