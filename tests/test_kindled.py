"""Fully kindled as a rule: runs and sums, days without a train, caps, and what never counts."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ledgers import RACINE, train
from msgspec import structs

from detectors.criterion import Verdict
from kindle.kindled import FullyKindled, KindledRule, Resistant, Stabilising, StillKindling, kindledness
from kindle.ledger import TrainFact

THREE = KindledRule(3, 4.0, RACINE)


def days(*stages: float | None) -> list[TrainFact]:
    return [train(day, stage) for day, stage in enumerate(stages)]


class TestRuns:
    def test_three_in_a_row_are_fully_kindled(self) -> None:
        """The rule of the ETSP: three of stage 4 or more on consecutive days."""
        result = kindledness(days(0, 1, 4, 3, 4, 5, 4), structs.replace(THREE, one_per_day=True))
        assert isinstance(result, FullyKindled)
        assert (result.reached.stage, result.trains) == (4.0, 7)

    def test_a_lower_stage_breaks_a_run(self) -> None:
        assert kindledness(days(4, 5, 3, 4, 5), THREE) == StillKindling(2, 3, 5)

    def test_a_sum_is_not_broken(self) -> None:
        """Six of stage 5, cumulative: McIntyre."""
        rule = KindledRule(6, 5.0, RACINE, "cumulative")
        assert kindledness(days(5, 3, 5, 1, 5, 5, 2, 5), rule) == StillKindling(5, 6, 8)
        assert isinstance(kindledness(days(5, 3, 5, 1, 5, 5, 2, 5, 5), rule), FullyKindled)

    def test_a_missed_day_does_not_break_a_run(self) -> None:
        assert isinstance(kindledness([train(0), train(1), train(9)], THREE), FullyKindled)

    @pytest.mark.parametrize(
        "neutral",
        [
            train(2, 5.0, verdict=Verdict.UNDETERMINED),
            train(2, 0.0, verdict=None),
            train(2, None),
            train(2, 0.0, scale="guide_2025@1"),
        ],
        ids=["undetermined", "void", "not scored", "another scale"],
    )
    def test_what_decides_nothing_neither_counts_nor_breaks(self, neutral: TrainFact) -> None:
        assert isinstance(kindledness([train(0), train(1), neutral, train(3)], THREE), FullyKindled)
        assert kindledness([train(0), train(1), neutral], THREE) == StillKindling(2, 3, 2)

    def test_only_the_first_clear_train_of_a_day_counts_where_the_rule_says_so(self) -> None:
        of_one_day = [train(0, hour=hour) for hour in (0, 4, 8)]
        assert isinstance(kindledness(of_one_day, THREE), FullyKindled)
        assert kindledness(of_one_day, structs.replace(THREE, one_per_day=True)) == StillKindling(1, 3, 3)

    def test_a_seizure_without_an_afterdischarge_counts_unless_one_is_required(self) -> None:
        quiet = [train(day, 5.0, verdict=Verdict.NONE, discharge_s=0.0) for day in range(3)]
        assert isinstance(kindledness(quiet, THREE), FullyKindled)
        assert kindledness(quiet, structs.replace(THREE, afterdischarge_required=True)) == StillKindling(0, 3, 3)

    def test_a_sum_within_a_window_forgets_what_was_before(self) -> None:
        rule = KindledRule(3, 5.0, RACINE, "cumulative", within=4)
        assert kindledness(days(5, 5, 1, 1, 5), rule) == StillKindling(2, 3, 5)
        assert isinstance(kindledness(days(5, 1, 5, 5), rule), FullyKindled)


class TestCaps:
    def test_an_animal_at_its_cap_is_resistant(self) -> None:
        """First stage 5, or resistant after 50 trains: Akman and co-workers."""
        rule = KindledRule(1, 5.0, RACINE, cap_trains=50)
        assert kindledness(days(*[3] * 49), rule) == StillKindling(0, 1, 49)
        assert kindledness(days(*[3] * 50), rule) == Resistant(50, 50)

    def test_the_last_train_allowed_may_meet_the_rule(self) -> None:
        rule = KindledRule(1, 5.0, RACINE, cap_trains=50)
        assert isinstance(kindledness(days(*[3] * 49, 5), rule), FullyKindled)
        assert isinstance(kindledness(days(*[3] * 50, 5), rule), Resistant)

    def test_trains_that_decide_nothing_count_towards_the_cap(self) -> None:
        void = [train(day, 0.0, verdict=None) for day in range(5)]
        assert isinstance(kindledness(void, structs.replace(THREE, cap_trains=5)), Resistant)

    def test_days_can_be_capped_too(self) -> None:
        assert kindledness(days(1, 1, 1), structs.replace(THREE, cap_days=3)) == Resistant(3, 3)


class TestStability:
    RULE = structs.replace(THREE, stable_days=2)

    def test_the_days_after_the_run_must_be_as_high(self) -> None:
        assert kindledness(days(5, 5, 5), self.RULE) == Stabilising(train(2), 0, 2)
        assert kindledness(days(5, 5, 5, 5), self.RULE) == Stabilising(train(2), 1, 2)
        assert isinstance(kindledness(days(5, 5, 5, 5, 5), self.RULE), FullyKindled)
        assert kindledness(days(5, 5, 5, 5, 3), self.RULE) == Stabilising(train(2), 0, 2)

    def test_a_discharge_that_is_not_the_animals_own_length_begins_the_days_anew(self) -> None:
        run = [train(day, discharge_s=length) for day, length in enumerate((58.0, 60.0, 62.0))]
        assert isinstance(
            kindledness([*run, train(3, discharge_s=60.0), train(4, discharge_s=61.0)], self.RULE), FullyKindled
        )
        assert isinstance(
            kindledness([*run, train(3, discharge_s=60.0), train(4, discharge_s=20.0)], self.RULE), Stabilising
        )


stages = st.lists(st.sampled_from([0.0, 2.0, 3.0, 4.0, 5.0]), max_size=25)


class TestAgainstCountingByHand:
    @settings(deadline=None)
    @given(stages=stages, n=st.integers(1, 5), stage_from=st.sampled_from([3.0, 4.0, 5.0]))
    def test_a_run(self, stages: list[float], n: int, stage_from: float) -> None:
        word = "".join("x" if stage >= stage_from else "." for stage in stages)
        result = kindledness(days(*stages), KindledRule(n, stage_from, RACINE))
        if "x" * n in word:
            assert isinstance(result, FullyKindled)
            assert result.trains == word.index("x" * n) + n
        else:
            assert result == StillKindling(len(word) - len(word.rstrip("x")), n, len(word))

    @settings(deadline=None)
    @given(stages=stages, n=st.integers(1, 5))
    def test_a_sum(self, stages: list[float], n: int) -> None:
        result = kindledness(days(*stages), KindledRule(n, 5.0, RACINE, "cumulative"))
        total = stages.count(5.0)
        assert isinstance(result, FullyKindled) == (total >= n)
        if isinstance(result, StillKindling):
            assert result.counted == total

    @settings(deadline=None)
    @given(stages=stages, rule=st.sampled_from([THREE, KindledRule(4, 5.0, RACINE, "cumulative", cap_trains=12)]))
    def test_once_fully_kindled_always_fully_kindled(self, stages: list[float], rule: KindledRule) -> None:
        """Later trains never take the criterion back, nor move the train that met it."""
        trains = days(*stages)
        reached: TrainFact | None = None
        for n in range(len(trains) + 1):
            result = kindledness(trains[:n], rule)
            if reached is not None:
                assert isinstance(result, FullyKindled)
                assert result.reached == reached
            elif isinstance(result, FullyKindled):
                reached = result.reached

    @settings(deadline=None)
    @given(stages=stages, shift=st.integers(1, 40))
    def test_days_off_change_nothing(self, stages: list[float], shift: int) -> None:
        trains = days(*stages)
        spread = [train(n * shift, stage) for n, stage in enumerate(stages)]
        here, there = kindledness(trains, THREE), kindledness(spread, THREE)
        assert type(here) is type(there)
        if isinstance(here, FullyKindled) and isinstance(there, FullyKindled):
            assert here.trains == there.trains
            assert there.reached.utc - spread[0].utc == shift * (here.reached.utc - trains[0].utc)
