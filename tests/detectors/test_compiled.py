"""What is compiled: ready before signal arrives, and the same as the plain definitions in numpy and scipy."""

import sys
from types import ModuleType

import numpy as np
import pytest
from numba.core.registry import CPUDispatcher
from scipy import signal

from detectors import kernels
from detectors.afterdischarge import AfterdischargeDetector, make_ready
from detectors.criterion import Criterion
from detectors.spike_shape import half_width, n_tops, opposite, path

RNG = np.random.default_rng(5)


def compiled_for() -> dict[str, int]:
    modules = [module for name, module in sys.modules.items() if name.startswith("detectors.")]
    return {
        f"{module.__name__}.{name}": len(value.signatures)
        for module in modules
        if isinstance(module, ModuleType)
        for name, value in vars(module).items()
        if isinstance(value, CPUDispatcher)
    }


def test_nothing_is_left_to_compile_when_signal_arrives() -> None:
    make_ready(2000.0)
    before = compiled_for()
    detector = AfterdischargeDetector(5, 2000.0, [0.1] * 5, Criterion(), rails=[(-32768, 32767)] * 5)
    counts = (RNG.normal(0, 400, (5, 60_000))).astype(np.int16)
    counts[:, 40_000:40_400] = 32767
    detector.push(counts[:, :30_001])
    detector.gap(900)
    detector.stimulus_begins(40_000)
    detector.push(counts[:, 30_001:])
    detector.stimulus_ends(100_000)
    for first in range(0, 60_000, 40):
        detector.push(counts[:, first : first + 40])
    detector.finish()
    assert before
    assert compiled_for() == before


@pytest.mark.parametrize("kind", [np.int16, np.int32, np.float64])
@pytest.mark.parametrize("decimation", [1, 2, 8, 20])
def test_decimation_is_a_triangular_low_pass_sampled_once_a_group(kind: type, decimation: int) -> None:
    raw = RNG.integers(-32768, 32768, (3, 50 * decimation)).astype(kind)
    carried = np.zeros(3, {np.int16: np.int32, np.int32: np.int64}.get(kind, np.float64))
    out = np.full((3, 52), np.nan)
    uv = np.array([0.1, 1.0, -2.5])
    kernels.decimate(raw, 0, tuple(range(1, decimation + 1)), carried, uv, out, 2)
    triangle = np.convolve(np.ones(decimation), np.ones(decimation)) / decimation**2
    for channel in range(3):
        low_passed = np.convolve(np.concatenate([np.zeros(1), raw[channel]]), triangle)
        expected = low_passed[decimation - 1 : decimation - 1 + raw.shape[1] : decimation] * uv[channel]
        assert out[channel, 2:] == pytest.approx(expected[:50], abs=1e-6)


@pytest.mark.parametrize("n_channels", [1, 3, 4, 7])
def test_the_high_pass_is_that_of_scipy_bit_for_bit(n_channels: int) -> None:
    b, a = signal.butter(2, 2.0, "highpass", fs=250.0)
    x, state = RNG.normal(0, 100, (n_channels, 700)), RNG.normal(0, 1, (n_channels, 2))
    expected, after = signal.lfilter(b, a, x[:, 30:], axis=1, zi=state)
    y = np.zeros_like(x)
    kernels.high_pass(x, 30, 300, np.arange(n_channels), b, a, state, y)
    kernels.high_pass(x, 300, 700, np.arange(n_channels), b, a, state, y)
    assert np.array_equal(y[:, 30:], expected)
    assert np.array_equal(state, after)
    assert not y[:, :30].any()


def test_rails_are_touched_in_the_ticks_that_reach_them() -> None:
    raw = RNG.integers(-1000, 1000, (4, 130)).astype(np.int16)
    raw[1, 10 + 25], raw[2, 10 + 119], raw[3, 3] = 2000, -2000, 2000
    touched = np.zeros((4, 12), bool)
    assert kernels.touch_rails(raw, 10, 10, np.full(4, -2000.0), np.full(4, 2000.0), touched)
    assert [tuple(at) for at in np.argwhere(touched).tolist()] == [(1, 2), (2, 11)]
    assert not kernels.touch_rails(raw[:1], 10, 10, np.full(1, -2000.0), np.full(1, 2000.0), touched[:1])


def test_roughness_is_the_range_inside_groups_beyond_what_the_slope_between_them_makes() -> None:
    assert kernels.roughness(np.arange(40, dtype=np.int16)[None], 0, 0, 5, 8) == 0.0
    zigzag = np.tile([0, 10], 20).astype(np.int16)[None]
    assert kernels.roughness(zigzag, 0, 0, 5, 8) == pytest.approx(5 * 10)
    assert kernels.roughness(zigzag, 0, 0, 40, 1) == 0.0


def test_the_shape_of_a_peak_is_measured_from_its_height() -> None:
    y = np.array([0.0, -2.0, 0.0, 4.0, 8.0, 4.0, 0.0, 6.0, 0.0])
    for sign in (1.0, -1.0):
        assert half_width(sign * y, 0, y.size, 4) == pytest.approx(2.0)
        assert opposite(sign * y, 0, y.size, 4) == pytest.approx(0.25)
        assert path(sign * y, 2, y.size, 4) == pytest.approx((8 + 8 + 6 + 6) / 8)
        assert n_tops(sign * y, 0, y.size, 4, 0.5) == 2
        assert n_tops(sign * y, 0, y.size, 4, 0.8) == 1
    assert half_width(y, 4, 6, 4) == pytest.approx(1.0)
