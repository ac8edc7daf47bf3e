"""NI boards as their data sheets describe the analogue inputs; only what a task can notice."""

from dataclasses import dataclass
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

    def max_rate_hz(self, n_channels: int) -> float:
        if n_channels == 1 or self.simultaneous:
            return self.single_rate_hz
        return self.aggregate_rate_hz / n_channels


M_SERIES_RANGES_V = (0.2, 1.0, 5.0, 10.0)
X_SERIES_RANGES_V = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)

USB_6211 = Product("USB-6211", 16, M_SERIES_RANGES_V, 250e3, 250e3, 80_000_000)
USB_6212 = Product("USB-6212", 16, M_SERIES_RANGES_V, 250e3, 250e3, 80_000_000)
PCIE_6321 = Product("PCIe-6321", 16, M_SERIES_RANGES_V, 250e3, 250e3, 100_000_000)
PCIE_6351 = Product("PCIe-6351", 16, X_SERIES_RANGES_V, 1250e3, 1000e3, 100_000_000)
USB_6356 = Product(
    "USB-6356",
    8,
    (1.0, 2.0, 5.0, 10.0),
    1250e3,
    1250e3,
    100_000_000,
    simultaneous=True,
    terminals=frozenset({Terminal.PSEUDODIFFERENTIAL}),
)

PRODUCTS = {product.name: product for product in (USB_6211, USB_6212, PCIE_6321, PCIE_6351, USB_6356)}
