"""What is wrong with a channel as such: flat, disconnected, full of mains, clipped. Streaming, in microvolts."""

from typing import Literal

import numpy as np

from detectors.arrays import Bools, Floats

Flag = Literal["flatline", "disconnected", "mains", "clipped"]

RAIL_S = 0.01
RAIL_SAMPLES = 4
"""An extreme held for this long is a rail, not the top of a wave."""
CLIPPED_S, CLIPPED_SHARE = 5.0, 0.05
FLAT_UV = 1e-3
FLAT_SHARE, DISCONNECTED_SHARE = 0.2, 0.2
MAINS_OF_SIGNAL = 0.5
"""Share of the power from 3 Hz on that lies within 1 Hz of 50 or 60 Hz, median over seconds."""
DISCONNECTED_OF_SIGNAL, DISCONNECTED_UV = 0.9, 8.0
"""An open input has nothing but mains, and less than this, root mean square, beside it."""
LOOK_EVERY = 5
"""Of the whole seconds, one in this many is looked at for its spectrum."""


class Extreme:
    """The largest value of a channel, times ``sign``, and how long it was held at most and in all."""

    def __init__(self, sign: float) -> None:
        self.value = -np.inf
        self.longest = 0
        self.total = 0
        self._sign = sign
        self._run = 0

    def push(self, row: Floats) -> None:
        if not row.size:
            return
        values = self._sign * row
        top = float(values.max())
        if top > self.value:
            self.value, self.longest, self.total, self._run = top, 0, 0, 0
        held = values == self.value
        self.total += int(held.sum())
        edges = np.flatnonzero(np.diff(np.concatenate([[False], held, [False]]).astype(np.int8)))
        lengths = edges[1::2] - edges[0::2]
        if not lengths.size:
            self._run = 0
            return
        if held[0]:
            lengths[0] += self._run
        self.longest = max(self.longest, int(lengths.max()))
        self._run = int(lengths[-1]) if held[-1] else 0


class ChannelCondition:
    """One channel; NaN is a lost sample and says nothing."""

    def __init__(self, rate_hz: float) -> None:
        self._rate_hz = rate_hz
        self._second = max(2, round(rate_hz))
        self._rest = np.zeros(0)
        self._high, self._low = Extreme(1.0), Extreme(-1.0)
        self._n = 0
        self._n_seconds = 0
        self._n_flat = 0
        self._mains: list[float] = []
        self._open: list[bool] = []
        hz = np.fft.rfftfreq(self._second, 1 / rate_hz)
        self._signal: Bools = (hz >= 3) & (hz <= 0.45 * rate_hz)
        self._hum: Bools = self._signal & ((np.abs(hz - 50) <= 1) | (np.abs(hz - 60) <= 1))
        self._window = np.hanning(self._second)

    def push(self, uv: Floats) -> None:
        known = uv[np.isfinite(uv)]
        self._n += known.size
        self._high.push(known)
        self._low.push(known)
        whole = np.concatenate([self._rest, known])
        for start in range(0, whole.size - self._second + 1, self._second):
            self._look(whole[start : start + self._second])
        self._rest = whole[whole.size // self._second * self._second :]

    def rails_uv(self) -> tuple[float, float] | None:
        """Levels at which the signal is clipped, a hair inside; an end that was never clipped is infinite."""
        if self.is_flat:
            return None
        low = -self._low.value if self._is_rail(self._low) else -np.inf
        high = self._high.value if self._is_rail(self._high) else np.inf
        if np.isinf(low) and np.isinf(high):
            return None
        hair = 1e-6 * (self._high.value + self._low.value)
        return low + hair, high - hair

    @property
    def is_flat(self) -> bool:
        return self._n > 0 and self._high.value + self._low.value <= FLAT_UV

    def flags(self) -> list[Flag]:
        flags: list[Flag] = []
        if self.is_flat or self._n_flat > FLAT_SHARE * max(1, self._n_seconds):
            flags.append("flatline")
        if sum(self._open) > DISCONNECTED_SHARE * len(self._open):
            flags.append("disconnected")
        if self._mains and float(np.median(self._mains)) > MAINS_OF_SIGNAL:
            flags.append("mains")
        clipped = sum(extreme.total for extreme in (self._low, self._high) if self._is_rail(extreme))
        if not self.is_flat and clipped > min(CLIPPED_S * self._rate_hz, CLIPPED_SHARE * self._n):
            flags.append("clipped")
        return flags

    def _is_rail(self, extreme: Extreme) -> bool:
        return extreme.longest >= max(RAIL_SAMPLES, RAIL_S * self._rate_hz)

    def _look(self, second: Floats) -> None:
        self._n_seconds += 1
        if float(second.max() - second.min()) <= FLAT_UV:
            self._n_flat += 1
        elif self._n_seconds % LOOK_EVERY == 0 and self._hum.any():
            power = np.abs(np.fft.rfft((second - second.mean()) * self._window)) ** 2
            hum, all_of_it = float(power[self._hum].sum()), max(float(power[self._signal].sum()), 1e-30)
            beside_uv = np.sqrt(2 * max(all_of_it - hum, 0.0) / (self._second * float((self._window**2).sum())))
            self._mains.append(hum / all_of_it)
            self._open.append(hum > DISCONNECTED_OF_SIGNAL * all_of_it and beside_uv < DISCONNECTED_UV)
