"""The benchmark of quantal fits runs, and what it enumerates is what a person would count."""

from benchmarks.quantal import coverage, speed


def test_a_hundred_exact_tables_are_all_judged() -> None:
    found = speed(100)

    assert found["tables"] == 100
    statuses = found["statuses"]
    assert isinstance(statuses, dict)
    assert sum(statuses.values()) == 100


def test_coverage_of_few_animals_is_a_probability_and_limits_that_no_table_has_are_none() -> None:
    found = coverage(4, 6.0, (60.0, 95.0, 150.0))

    assert 0.2 < found.no_finite_fit < 1
    for share in (found.delta, found.profile, found.lw, found.headline):
        assert share is not None
        assert 0.8 < share <= 1
    assert coverage(2, 6.0, (60.0, 95.0, 150.0)).fieller is None
