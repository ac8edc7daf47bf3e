"""Up-and-down series, against Dixon's table and the formulas of Dixon and Mood."""

from math import isfinite

import pytest
from hypothesis import given
from hypothesis import strategies as st
from numeric import numbers_in

from kindle.analysis import up_and_down

DIXON_K = {
    "X": (-0.5, -0.388, -0.378, -0.377),
    "XO": (0.842, 0.89, 0.894, 0.894),
    "XX": (-0.178, 0.0, 0.026, 0.028),
    "XOO": (0.299, 0.314, 0.315, 0.315),
    "XOX": (-0.5, -0.439, -0.432, -0.432),
    "XXO": (1.0, 1.122, 1.139, 1.14),
    "XXX": (0.194, 0.449, 0.5, 0.506),
}
GROUP_S = (
    [x / 10 for x in (25, 27, 29, 31, 33, 31, 33, 35, 33, 35, 37, 35, 33, 35, 37, 39, 37, 35)]
    + [x / 10 for x in (37, 39, 37, 39, 37, 35, 37, 39, 37, 39, 37, 35, 37, 39, 37, 35, 33, 35)],
    [0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 1, 0, 1, 1, 0, 0, 1, 0, 1, 1, 0, 0, 1, 1, 1, 0, 0],
)


def series(start: float, step: float, pattern: str) -> tuple[list[float], list[bool]]:
    """X responded, and the next dose is a step lower; O did not, and it is a step higher."""
    x = [start]
    for outcome in pattern[:-1]:
        x.append(x[-1] + (step if outcome == "O" else -step))
    return x, [outcome == "X" for outcome in pattern]


@pytest.mark.parametrize("pattern", DIXON_K)
def test_greatest_likelihood_with_sigma_of_one_step_is_dixons_table(pattern: str) -> None:
    """Dixon 1965, JASA 60:967, table 1: ED50 = last dose + k d, by the length of the leading run without response."""
    for leading, k in enumerate(DIXON_K[pattern], 1):
        x, responses = series(1.0, 0.1, "O" * leading + pattern)
        on_logs = up_and_down([10**at for at in x], responses, scale="log10")
        on_doses = up_and_down(x, responses, scale="linear")

        assert on_logs.k == pytest.approx(k, abs=0.0006)
        assert on_doses.k == pytest.approx(k, abs=0.0006)
        assert on_logs.value == pytest.approx(10 ** (x[-1] + 0.1 * k), rel=2e-4)


def test_dixon_and_moods_formulas_give_the_mean_and_sigma_of_r() -> None:
    """R package ed50 0.1.1, data set groupS."""
    found = up_and_down(*GROUP_S, method="dixon-mood")

    assert found.scale == "linear"
    assert (found.mean, found.sigma) == pytest.approx((3.613333333, 0.288756), rel=1e-6)
    assert found.value == found.mean
    assert found.low is not None
    assert found.high is not None
    assert found.low < 3.6133 < found.high


def test_the_scale_is_read_from_the_steps() -> None:
    _, responses = series(0, 1, "OOXOX")

    assert up_and_down([10, 20, 40, 20, 40], responses).scale == "log10"
    assert up_and_down([10, 20, 30, 20, 30], responses).scale == "linear"
    assert up_and_down([1, 2, 1, 2, 1], [False, True, False, True, False]).scale == "log10"


@pytest.mark.parametrize(
    ("doses", "responses", "code"),
    [
        ([1, 2, 4], [0, 0, 0], "none_responded"),
        ([4, 2, 1], [1, 1, 1], "all_responded"),
        ([2, 2], [0, 1], "one_dose"),
        ([1, 2], [0, 1, 0], "bad_input"),
        ([1, 2], [0, 2], "bad_input"),
        ([1, float("nan")], [0, 1], "bad_input"),
        ([1, 2, 2.7], [0, 1, 0], "uneven_steps"),
    ],
)
def test_a_series_that_says_nothing_is_an_error_with_a_name(
    doses: list[float], responses: list[int], code: str
) -> None:
    found = up_and_down(doses, responses)

    assert (found.status.kind, found.status.code, found.value) == ("error", code, None)


def test_doses_that_spread_too_little_for_sigma_say_what_was_assumed() -> None:
    x, responses = series(1, 0.1, "OXOXOXOX")
    found = up_and_down(x, responses, method="dixon-mood", scale="linear")

    assert found.sigma == pytest.approx(0.053)
    assert found.status.code == "sigma_assumed"


@given(pattern=st.text("XO", min_size=2, max_size=20), start=st.integers(-3, 3))
def test_every_series_has_a_status_and_ordered_limits(pattern: str, start: int) -> None:
    x, responses = series(start, 0.25, pattern)
    for method in ("ml", "dixon-mood"):
        found = up_and_down([10**at for at in x], responses, method=method, scale="log10")
        assert all(isfinite(number) for number in numbers_in(found.as_dict()))
        if found.value is not None:
            assert found.low is not None
            assert found.high is not None
            assert found.low < found.value < found.high
