"""Results in one line: every rule that changes a number, and every warning, is in it."""

import pytest

from kindle.analysis import latency, paired
from kindle.analysis.latencies import Latencies
from kindle.analysis.paired_results import Paired
from kindle.analysis.threshold_change import ThresholdChange, threshold_change
from kindle.analysis.thresholds import Threshold
from kindle.analysis.wording import words_of

STAGES = [5, 5, 5, 5, 4, 5, 5, 5, 5, 5], [0, 3, 5, 1, 0, 2, 5, 4, 1, 0]
CONTROL = [1.83, 0.5, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.3]
DRUG = [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29]


@pytest.mark.parametrize(
    ("result", "says"),
    [
        (
            paired(CONTROL, DRUG),
            "control - drug 0.460 (95% CI 0.0100 to 0.786), Hodges-Lehmann, "
            "signed rank V = 40, exact p = 0.039 (n = 9)",
        ),
        (
            paired(*STAGES, kind="ordinal"),
            "median 5 under control, 1.5 under drug, signed rank V = 36, exact p = 0.0078 "
            "(n = 10, 2 zeros dropped (Wilcoxon))",
        ),
        (
            paired([1] * 10, [0] * 8 + [1] * 2, kind="incidence"),
            "10/10 (69 to 100 %) under control, 2/10 (3 to 56 %) under drug, McNemar exact p = 0.0078",
        ),
        (paired([5, 5], [5, 5]), "all differences are zero"),
        (
            paired([50, 60, 70], [400, 100, 400], kind="threshold", drug_above=[True, False, True]),
            "raised in 3, lowered in 0, undecided in 0 of 3 rats, sign test p = 0.25; "
            "warning: 2 of 3 rats with a threshold above the maximal current: sign test, no mean",
        ),
        (
            threshold_change([Threshold(50, 60), Threshold(50, 60)], [Threshold(500, None)] * 2),
            "the ratio has no upper bound in any rat: use the sign test",
        ),
    ],
)
def test_a_result_in_one_line(result: Paired | Latencies | ThresholdChange, says: str) -> None:
    assert words_of(result) == says


def test_thresholds_are_compared_as_a_ratio() -> None:
    found = words_of(paired([60, 80, 50, 100, 70, 90], [120, 160, 100, 200, 140, 181], kind="threshold"))
    assert found.startswith("ratio 2.00 (95% CI 2.00 to 2.01, t = 752, df 5")
    assert found.endswith("n = 6")


def test_latencies_name_events_cut_off_and_rules() -> None:
    groups = {"vehicle": ([3, 5, 9, 12], [1, 1, 1, 1]), "valproate": ([8, 20, 40, 45], [1, 1, 1, 1])}
    found = words_of(latency(groups, cut_off=30))
    assert "vehicle 4/4 events, median 7.00 (95% CI 3.00 to " in found
    assert "valproate 2/4 events, median 25.0" not in found
    assert "log-rank chi2" in found
    assert "cut-off 30, median by the mid-point, limits on the log-log scale" in found
