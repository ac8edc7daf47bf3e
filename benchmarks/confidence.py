"""Weights of the detector's confidence, fitted anew: `python -m benchmarks.confidence [--seeds N] [--first-seed S]`.

A logistic regression with a little ridge, on the evidence for every discharge that the causal path finds, against
whether its boundaries were right; then, by five-fold cross-validation, how often each confidence was right.
"""

import argparse
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from benchmarks.measuring import measure
from benchmarks.scoring import right
from benchmarks.trials import Trial, plan
from detectors import judging
from detectors.confidence import Evidence, confidence

RIDGE = np.array([0.0, 0.5, 0.5, 0.5, 0.5, 0.02])
"""Spiking before the train is rare here, and decisive: it is hardly shrunk."""
BINS = (0.0, 0.2, 0.4, 0.6, 0.8, 0.9, 1.0)
FOLDS = 5

Floats = NDArray[np.float64]


def weighed(trial: Trial) -> tuple[Evidence, bool] | None:
    """The evidence for the first discharge that is found in a trial, and whether it was right."""
    seen: dict[float, Evidence] = {}

    def keeping(evidence: Evidence) -> float:
        value = confidence(evidence)
        seen[value] = evidence
        return value

    # The detector keeps only the probability of an event, and withholds the doubtful ones: both are caught on the way.
    limits = judging.UNLIKELY, judging.DOUBTFUL
    judging.confidence, judging.UNLIKELY, judging.DOUBTFUL = keeping, 0.0, 0.0
    try:
        measured = measure(trial, with_peers=False)
    finally:
        judging.confidence = confidence
        judging.UNLIKELY, judging.DOUBTFUL = limits
    called = measured.readings["causal"]
    if measured.verdict not in ("afterdischarge", "none") or called.confidence is None:
        return None
    return seen[called.confidence], right(measured, "causal")


def fitted(evidence: Floats, was_right: Floats) -> Floats:
    """Intercept and weights by Newton's method."""
    weights = np.zeros(evidence.shape[1])
    for _ in range(100):
        p = 1 / (1 + np.exp(-evidence @ weights))
        slope = evidence.T @ (was_right - p) - RIDGE * weights
        curvature = (evidence.T * (p * (1 - p))) @ evidence + np.diag(RIDGE)
        weights = weights + np.linalg.solve(curvature, slope)
    return np.asarray(weights)


def cross_validated(evidence: Floats, was_right: Floats) -> Floats:
    fold = np.random.default_rng(0).integers(0, FOLDS, was_right.size)
    said = np.zeros(was_right.size)
    for k in range(FOLDS):
        weights = fitted(evidence[fold != k], was_right[fold != k])
        said[fold == k] = 1 / (1 + np.exp(-evidence[fold == k] @ weights))
    return said


def reliability(said: Floats, was_right: Floats) -> Iterator[str]:
    for low, high in pairwise(BINS):
        inside = (said >= low) & (said < high)
        if inside.any():
            share = was_right[inside].mean()
            yield f"{low:.1f}-{high:.1f}: n {inside.sum()}, said {said[inside].mean():.3f}, right {share:.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.confidence", description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first-seed", type=int, default=60_000)
    parser.add_argument("--shams", type=int, default=400)
    parser.add_argument("--jobs", type=int, default=2)
    asked = parser.parse_args()
    with ProcessPoolExecutor(asked.jobs) as pool:
        trials = plan(asked.seeds, asked.shams, first_seed=asked.first_seed)
        known = [pair for pair in pool.map(weighed, trials, chunksize=8) if pair is not None]
    evidence = np.array([[1.0, *pair[0]] for pair in known])
    was_right = np.array([float(pair[1]) for pair in known])
    intercept, *weights = fitted(evidence, was_right).round(2).tolist()
    print(f"INTERCEPT = {intercept}\nWEIGHTS = {Evidence(*weights)}")
    print("\n".join(reliability(cross_validated(evidence, was_right), was_right)))


if __name__ == "__main__":
    main()
