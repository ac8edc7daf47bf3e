"""An amplifier coming back after a train: an exponential and a line, told from the spikes that ride on them."""

import numpy as np

from detectors.arrays import Floats

FITTED_S = 3.0
"""The line is no better than a line for longer."""
FITTED_HZ = 250
TAU_S = (0.02, 1.5)
N_TAU = 16
SPIKES = 0.5
"""Of the baseline's peak: what stands further from the fit than this counts ever less."""
N_ROUNDS = 12


def recovery_uv(uv: Floats, rate_hz: float, baseline_uv: float) -> Floats:
    """The exponential alone, ``(n,)`` as ``uv``, which begins where the signal is back; zero where it is too short."""
    n, step = min(uv.size, round(FITTED_S * rate_hz)), max(1, round(rate_hz / FITTED_HZ))
    t, head = np.arange(0, n, step) / rate_hz, uv[:n:step]
    if head.size < 50:
        return np.zeros(uv.size)
    tau = np.geomspace(*TAU_S, N_TAU)
    falling = np.exp(-t / tau[:, None])
    # (n_tau, n, 3): every time constant is fitted at once.
    design = np.stack([falling, np.ones_like(falling), np.broadcast_to(t, falling.shape)], axis=2)
    weight = np.ones_like(falling)
    for _ in range(N_ROUNDS):
        normal = np.einsum("kti,kt,ktj->kij", design, weight, design)
        moment = np.einsum("kti,kt,t->ki", design, weight, head)
        fitted = np.linalg.solve(normal + 1e-9 * np.eye(3), moment[..., None])[..., 0]
        off = (head - np.einsum("kti,ki->kt", design, fitted)) / (SPIKES * baseline_uv)
        weight = 1 / np.sqrt(1 + off**2)
    best = int(np.sqrt(1 + off**2).sum(axis=1).argmin())
    return np.asarray(fitted[best, 0] * np.exp(-np.arange(uv.size) / rate_hz / tau[best]))
