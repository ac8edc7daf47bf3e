"""The trend of proportions, against R."""

import pytest

from kindle.analysis import dose_trend


def test_the_trend_of_smokers_is_that_of_prop_trend_test() -> None:
    """R help page of prop.trend.test."""
    found = dose_trend([1, 2, 3, 4], [86, 93, 136, 82], [83, 90, 129, 70])

    assert (found.chi2, found.p) == pytest.approx((8.224922285, 0.00413189748), rel=1e-7)
    assert found.slope is not None
    assert found.slope < 0


def test_scores_may_be_shifted_and_scaled() -> None:
    plain = dose_trend([1, 2, 3], [8, 8, 8], [1, 3, 6])

    assert dose_trend([-7, 3, 13], [8, 8, 8], [1, 3, 6]).chi2 == pytest.approx(plain.chi2)
    assert dose_trend([3, 1, 2], [8, 8, 8], [6, 1, 3]).chi2 == pytest.approx(plain.chi2)


@pytest.mark.parametrize(
    ("scores", "n", "responded", "code"),
    [
        ([1, 2], [8, 8], [8, 8], "all_responded"),
        ([1, 2], [8, 8], [0, 0], "none_responded"),
        ([1, 1], [8, 8], [1, 2], "one_dose"),
        ([1, 2], [8, 8], [1, 9], "bad_counts"),
        ([1, 2, 3], [8, 8], [1, 2], "bad_input"),
        ([1, float("inf")], [8, 8], [1, 2], "bad_input"),
    ],
)
def test_what_has_no_trend_is_an_error_with_a_name(
    scores: list[float], n: list[int], responded: list[int], code: str
) -> None:
    found = dose_trend(scores, n, responded)

    assert (found.status.kind, found.status.code, found.chi2) == ("error", code, None)
