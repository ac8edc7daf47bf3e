"""Codes that few tables meet: each is reached, with a sentence that says what to do."""

import pytest

from kindle.analysis import fit_quantal, paired, potency_ratio, up_and_down
from kindle.analysis.links import LinkName
from kindle.analysis.outcome import Note
from kindle.analysis.parallel import fit_parallel
from kindle.analysis.partner_shift import partner_shift
from kindle.analysis.potencies import Potency
from kindle.analysis.repeated import bootstrap_by_animal
from kindle.analysis.scorers import stage_agreement
from kindle.analysis.thresholds import Threshold, group_threshold

Table = tuple[list[float], list[int], list[int]]

FOUR, EIGHT = [50, 100, 150, 200], [8, 8, 8, 8]


def codes(notes: tuple[Note, ...]) -> set[str]:
    return {note.code for note in notes}


def test_scorers_without_a_seizure_in_common() -> None:
    found = stage_agreement({"A": [1, 2, None, None], "B": [1, 2, 3, 4], "C": [None, None, 3, 4]}, [1, 2, 3, 4, 5])
    (note,) = [note for note in found.notes if note.code == "no_common_seizure"]
    assert note.message == "A and C scored no seizure in common"


def test_so_few_rats_that_no_exact_interval_exists() -> None:
    found = paired([5.0, 6.0, 7.0], [1.0, 2.5, 3.0])
    assert found.shift is not None
    assert found.shift.interval is None
    assert "no_exact_interval" in codes(found.notes)


def test_an_index_beside_one_dose_of_the_partner_holds_there_only() -> None:
    found = partner_shift(Potency(100, 0.03), Potency(40, 0.03), Potency(200, 0.03, name="B"), 50.0)
    assert found.status.code == "one_partner_dose"
    assert found.words.startswith("synergy at this dose")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"link": "logit"}, "links: logit and probit"),
        ({"information": "observed"}, "information: observed and expected"),
        ({"level": 0.9}, "levels: 0.9 and 0.95"),
        ({"unit": "mg/kg"}, "units: mg/kg and "),
    ],
)
def test_fits_by_different_conventions_are_not_compared(options: dict[str, object], words: str) -> None:
    test = fit_quantal(FOUR, EIGHT, [1, 3, 6, 8], **options)  # type: ignore[arg-type]
    found = potency_ratio(test, fit_quantal(FOUR, EIGHT, [0, 2, 5, 8]))
    assert (found.status.code, found.ratio) == ("options_differ", None)
    assert found.status.message == f"the two fits differ in {words}"


@pytest.mark.parametrize(
    ("link", "test", "reference", "words"),
    [
        (
            "logit",
            ([1.0, 1.5, 2.25], [10**6, 1, 10**9], [0, 1, 765_808_994]),
            ([1.0, 1e100, 1e200, 1e300], [8, 10**9, 50, 8], [0, 0, 0, 1]),
            "no common slope can be found; the drugs can be compared by their doses",
        ),
        (
            "probit",
            ([1e-100, 1e-94, 1e-88, 1e-82], [1, 3, 2, 3], [0, 0, 2, 0]),
            ([1.0, 1.5, 2.25], [10**9, 10**6, 1], [258_605_579, 10**6, 1]),
            "the common slope has no finite error; compare the drugs by their ED50s",
        ),
    ],
)
def test_two_drugs_whose_tables_have_no_common_slope_have_no_ratio(
    link: LinkName, test: Table, reference: Table, words: str
) -> None:
    """Tables that nobody has measured: counts and doses beyond what the arithmetic holds."""
    found = fit_parallel(fit_quantal(*test, link=link), fit_quantal(*reference, link=link))
    assert isinstance(found, Note)
    assert (found.code, found.message) == ("not_converged", words)


def test_a_dose_beyond_every_number_is_none() -> None:
    fit = fit_quantal([50, 100, 150, 200], [1000] * 4, [500, 501, 500, 501])
    assert "no_dose" in codes(fit.ed(0.99).notes)
    assert fit.ed(0.99).value is None


def test_a_series_whose_mean_is_beyond_every_number_has_no_dose() -> None:
    found = up_and_down([1e-200, 1e200] * 3, [0, 0, 0, 0, 0, 1], scale="log10")
    assert found.status.code == "no_dose"
    assert found.value is None


def test_a_group_of_one_known_threshold_has_no_mean() -> None:
    found = group_threshold([Threshold(50, 60), Threshold(0, None)])
    assert (found.status.code, found.mean_ua) == ("too_few_animals", None)
    assert found.status.message == "a threshold known in 1 of 2 rats: a mean needs at least two"


@pytest.mark.parametrize(("flip", "code"), [(False, "no_upper_limit"), (True, "no_lower_limit")])
def test_resamples_in_which_nobody_or_everybody_was_protected_leave_a_side_open(flip: bool, code: str) -> None:
    animals = [f"R{n}" for n in range(6) for _ in range(2)]
    responded = [0, 1] + [0, 0] * 5
    if flip:
        responded = [1 - r for r in reversed(responded)]
    found = bootstrap_by_animal(animals, [50.0, 100.0] * 6, responded, n_resamples=200)
    assert code in codes(found.notes)
    assert (found.high if code == "no_upper_limit" else found.low) is None
