"""One NI board: its pins, what is wired to them, its converter, its outputs, and who holds its timing engines."""

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from drivers.simulated.board_outputs import BoardOutputs
from drivers.simulated.clock import Clock
from drivers.simulated.daq_errors import BoardError, DaqCode
from drivers.simulated.daq_faults import Faults
from drivers.simulated.products import USB_6212, Product, Terminal
from drivers.simulated.sample_clock import SampleClock

Volts = NDArray[np.float64]

Signal = Callable[[int, float, int, int], Volts]
"""``f(start_us, rate_hz, first, n)``: volts of samples ``first .. first + n - 1``, sample k at start + k/rate."""

Engine = str
"""``ai``, ``ao``, ``do``, each counter and each line: whatever serves one task at a time."""

OVER_RANGE = 1.05
"""The converter reaches a little beyond the nominal range; the amplifier in front of it clips at the range."""

UNWIRED_NOISE_V = 0.5e-3
UNWIRED_PERIOD = 65_521


@runtime_checkable
class Refilled(Protocol):
    """A task whose samples the computer has to refill while they are played."""

    def break_off(self, at_us: int, code: DaqCode) -> None: ...

    def lose_computer(self, at_us: int) -> None: ...


class Board:
    """``wires`` maps physical channels (``Dev1/ai0``) to signals; entries of other devices are somebody else's."""

    def __init__(
        self,
        clock: Clock,
        wires: Mapping[str, Signal] | None = None,
        *,
        name: str = "Dev1",
        product: Product = USB_6212,
        serial_number: int = 0x01A2B3C4,
        offset_v: float = 0.0,
    ) -> None:
        self.clock = clock
        self.name = name
        self.product = product
        self.serial_number = serial_number
        self.faults = Faults(clock, self._lose_power)
        self.pins = tuple(f"{name}/ai{pin}" for pin in range(product.n_pins))
        self.outputs = BoardOutputs(name, product.outputs)
        self._offset_v = offset_v
        self._wires: dict[str, Signal] = {}
        self._engines: dict[Engine, object] = {}
        self._lock = threading.Lock()
        self.connect(wires or {})

    def connect(self, wires: Mapping[str, Signal]) -> None:
        """Wire signals to inputs, in addition to those that are; raises ``ValueError`` for inputs that do not exist."""
        mine = {pin: signal for pin, signal in wires.items() if pin.partition("/")[0] == self.name}
        if unknown := sorted(set(mine) - set(self.pins)):
            raise ValueError(
                f"{self.product.name} {self.name} has no input {unknown[0]}; it has {self.pins[0]} to {self.pins[-1]}"
            )
        self._wires |= mine

    def reserve(self, engine: Engine, task: object) -> None:
        """Raises ``BoardError`` -50103 when another task holds the engine."""
        with self._lock:
            if self._engines.setdefault(engine, task) is not task:
                raise BoardError(DaqCode.PAL_RESOURCE_RESERVED, f"{self.name} {engine}")

    def release(self, engine: Engine, task: object) -> None:
        with self._lock:
            if self._engines.get(engine) is task:
                del self._engines[engine]

    def reserve_all(self, engines: Iterable[Engine], task: object) -> None:
        """All of them or none; raises ``BoardError`` -50103."""
        with self._lock:
            for engine in engines:
                if self._engines.get(engine, task) is not task:
                    raise BoardError(DaqCode.PAL_RESOURCE_RESERVED, f"{self.name} {engine}")
            self._engines |= dict.fromkeys(engines, task)

    def release_all(self, task: object) -> None:
        with self._lock:
            self._engines = {engine: holder for engine, holder in self._engines.items() if holder is not task}

    def starve(self) -> None:
        """The computer does not refill the analogue output in time: it breaks off at its present value."""
        if playing := self._played():
            playing.break_off(self.clock.now_us(), DaqCode.DAC_UNDERFLOW)

    def lose_computer(self) -> None:
        """The computer stops for good: every output plays on from what is on the board itself."""
        if playing := self._played():
            playing.lose_computer(self.clock.now_us())

    def pin(self, physical: str) -> int:
        """Number of the input ``physical``, whatever its case. Raises ``BoardError`` -200170."""
        for pin, name in enumerate(self.pins):
            if name.casefold() == physical.casefold():
                return pin
        raise BoardError(DaqCode.PHYSICAL_CHAN_DOES_NOT_EXIST, physical)

    def terminal(self, pin: int, asked: Terminal) -> Terminal:
        """The terminal configuration that ``asked`` stands for, or ``BoardError`` -200077."""
        pairs = self.product.n_pins // 2
        if asked is Terminal.DEFAULT:
            if Terminal.DIFFERENTIAL not in self.product.terminals:
                return Terminal.PSEUDODIFFERENTIAL
            return Terminal.DIFFERENTIAL if pin % 16 < 8 else Terminal.RSE
        if asked not in self.product.terminals or (asked is Terminal.DIFFERENTIAL and pin >= pairs):
            raise BoardError(DaqCode.INVALID_ATTRIBUTE_VALUE, f"{self.pins[pin]} cannot be {asked.name.lower()}")
        return asked

    def range_v(self, low_v: float, high_v: float) -> float:
        """The smallest range that holds both limits, or ``BoardError`` -200077."""
        if low_v < high_v:
            for range_v in self.product.ranges_v:
                if -range_v <= low_v and high_v <= range_v:
                    return range_v
        raise BoardError(DaqCode.INVALID_ATTRIBUTE_VALUE, f"no input range holds {low_v:g} to {high_v:g} V")

    def sample_clock(self, rate_hz: float) -> SampleClock:
        """What comes nearest to ``rate_hz``, or ``BoardError`` -200077 for what no channel can be sampled at."""
        if not 0 < rate_hz <= self.product.single_rate_hz:
            raise BoardError(DaqCode.INVALID_ATTRIBUTE_VALUE, f"sample clock rate {rate_hz:g} Hz")
        return SampleClock.nearest(self.product.timebase_hz, rate_hz)

    def output_clock(self, rate_hz: float) -> SampleClock:
        """What comes nearest to ``rate_hz`` for the analogue outputs, or ``BoardError`` -200077."""
        if not 0 < rate_hz <= self.product.outputs.rate_hz and self.product.outputs.timed:
            raise BoardError(DaqCode.INVALID_ATTRIBUTE_VALUE, f"output sample clock rate {rate_hz:g} Hz")
        return SampleClock.nearest(self.product.timebase_hz, rate_hz)

    def coefficients(self, range_v: float) -> tuple[float, ...]:
        """Polynomial from counts to volts; in truth a calibration, here a straight line."""
        return (self._offset_v, range_v * OVER_RANGE / 32768, 0.0, 0.0)

    def volts(self, pin: int, terminal: Terminal, start_us: int, rate_hz: float, first: int, n: int) -> Volts:
        """What stands at an input, before the converter."""
        volts = self._at(pin, start_us, rate_hz, first, n)
        partner = pin + self.product.n_pins // 2
        if terminal is Terminal.DIFFERENTIAL and self.pins[partner] in self._wires:
            volts = volts - self._at(partner, start_us, rate_hz, first, n)
        return volts

    def counts(self, volts: Volts, range_v: float) -> NDArray[np.int16]:
        """What the converter makes of ``volts``: clipped at the range, rounded to 16 bits."""
        offset_v, volts_per_count, *_ = self.coefficients(range_v)
        # Bare minimum and maximum: for short blocks np.clip takes several times as long.
        held_v = np.minimum(np.maximum(volts, -range_v), range_v)
        counts = np.rint((held_v - offset_v) / volts_per_count)
        return np.minimum(np.maximum(counts, -32768), 32767).astype(np.int16)

    def _at(self, pin: int, start_us: int, rate_hz: float, first: int, n: int) -> Volts:
        if signal := self._wires.get(self.pins[pin]):
            return signal(start_us, rate_hz, first, n)
        # Any stretch of the table, shifted by the pin, so that no two open inputs read the same.
        return _OPEN_INPUT_V[(np.arange(first, first + n) + 4099 * pin) % UNWIRED_PERIOD]

    def _played(self) -> Refilled | None:
        with self._lock:
            task = self._engines.get("ao")
        return task if isinstance(task, Refilled) else None

    def _lose_power(self) -> None:
        self.outputs.lose_power(self.clock.now_us())
        with self._lock:
            self._engines.clear()


_OPEN_INPUT_V = UNWIRED_NOISE_V * np.random.default_rng(6212).standard_normal(UNWIRED_PERIOD)
