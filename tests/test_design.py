"""Orders of treatment: balanced, by a seed that is stored, behind codes that only their key opens."""

from collections import Counter
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kindle.design import CODES, Design, Key, blocks, coded, groups, latin_square, opened, responder, sealed
from kindle.errors import ConfigError

SALT = "3f9c1d5e7a2b4860"


def names(prefix: str, n: int) -> list[str]:
    return [f"{prefix}{number}" for number in range(1, n + 1)]


ORDER_OF_SEED = {"R1": ("200", "100", "vehicle"), "R2": ("100", "200", "vehicle")}


class TestLatinSquares:
    @given(n=st.integers(2, 8), squares=st.integers(1, 3), seed=st.integers(0, 2**32))
    def test_every_animal_gets_everything_and_every_day_sees_everything_equally_often(
        self, n: int, squares: int, seed: int
    ) -> None:
        n_rows = n if n % 2 == 0 else 2 * n
        design = latin_square(names("R", n_rows * squares), names("dose", n), seed)
        for order in design.orders.values():
            assert sorted(order) == sorted(design.treatments)
        for day in range(n):
            on_day = Counter(order[day] for order in design.orders.values())
            assert set(on_day.values()) == {n_rows * squares // n}

    @given(n=st.integers(2, 8), seed=st.integers(0, 2**32))
    def test_every_treatment_follows_each_other_one_equally_often(self, n: int, seed: int) -> None:
        """What is carried over from the test before is balanced: Williams 1949."""
        n_rows = n if n % 2 == 0 else 2 * n
        design = latin_square(names("R", n_rows), names("dose", n), seed)
        followed = Counter(pair for order in design.orders.values() for pair in pairwise(order))
        assert set(followed.values()) == {n_rows // n}
        assert len(followed) == n * (n - 1)

    def test_animals_that_do_not_fill_a_square_are_refused(self) -> None:
        with pytest.raises(ConfigError, match="4 treatments need a multiple of 4 animals"):
            latin_square(names("R", 6), names("dose", 4), 1)
        with pytest.raises(ConfigError, match="5 treatments need a multiple of 10 animals"):
            latin_square(names("R", 5), names("dose", 5), 1)


class TestBlocks:
    @given(n=st.integers(1, 8), repeats=st.integers(1, 4), seed=st.integers(0, 2**32))
    def test_each_block_holds_every_treatment_once(self, n: int, repeats: int, seed: int) -> None:
        design = blocks(names("R", 7), names("dose", n), seed, repeats=repeats)
        for order in design.orders.values():
            assert len(order) == n * repeats
            for begin in range(0, len(order), n):
                assert sorted(order[begin : begin + n]) == sorted(design.treatments)

    def test_one_seed_gives_one_design(self) -> None:
        animals, doses = names("R", 12), names("dose", 4)
        assert blocks(animals, doses, 7) == blocks(animals, doses, 7)
        assert blocks(animals, doses, 7) != blocks(animals, doses, 8)
        assert latin_square(animals, doses, 7) == latin_square(animals, doses, 7)

    def test_the_order_of_a_seed_stays_what_it_was(self) -> None:
        """A study is begun with one version of the program and finished with another."""
        assert blocks(["R1", "R2"], ["vehicle", "100", "200"], 20260105).orders == ORDER_OF_SEED

    @pytest.mark.parametrize(("animals", "doses"), [(["R1", "R1"], ["a", "b"]), (["R1"], ["a", "a"]), ([], ["a"])])
    def test_nothing_stands_twice_and_nothing_is_empty(self, animals: list[str], doses: list[str]) -> None:
        with pytest.raises(ConfigError):
            blocks(animals, doses, 1)


class TestGroups:
    @given(n=st.integers(1, 6), animals=st.integers(1, 20), seed=st.integers(0, 2**32))
    def test_every_animal_gets_one_treatment_and_no_group_is_larger_by_more_than_one(
        self, n: int, animals: int, seed: int
    ) -> None:
        design = groups(names("R", animals), names("dose", n), seed)
        sizes = Counter(one for (one,) in design.orders.values())
        every = [sizes[dose] for dose in names("dose", n)]
        assert sum(every) == animals
        assert max(every) - min(every) <= 1
        assert design == groups(names("R", animals), names("dose", n), seed)

    def test_no_treatment_is_favoured_where_the_groups_cannot_be_equal(self) -> None:
        larger = {
            Counter(one for (one,) in groups(names("R", 3), ["a", "b"], seed).orders.values()).most_common(1)[0][0]
            for seed in range(40)
        }
        assert larger == {"a", "b"}


class TestBlinding:
    DESIGN = blocks(names("R", 4), ["vehicle", "100", "200"], 5)

    @given(seed=st.integers(0, 2**32), n=st.integers(1, len(CODES)))
    def test_every_treatment_has_one_code(self, seed: int, n: int) -> None:
        key = sealed(names("dose", n), seed, SALT)
        assert sorted(key.codes.values()) == sorted(names("dose", n))
        assert list(key.codes) == list(CODES[:n])

    def test_the_coded_design_names_no_treatment_and_no_seed(self) -> None:
        shown = coded(self.DESIGN, sealed(self.DESIGN.treatments, 9, SALT))
        assert shown.treatments == ("A", "B", "C")
        assert shown.seed == 0
        assert {one for order in shown.orders.values() for one in order} == {"A", "B", "C"}

    def test_the_key_opens_what_it_sealed(self) -> None:
        key = sealed(self.DESIGN.treatments, 9, SALT)
        codes = opened(key, key.sha256)
        shown = coded(self.DESIGN, key)
        back = {animal: tuple(codes[one] for one in order) for animal, order in shown.orders.items()}
        assert back == self.DESIGN.orders

    def test_another_key_is_refused(self) -> None:
        key = sealed(self.DESIGN.treatments, 9, SALT)
        swapped = Key({"A": key.codes["B"], "B": key.codes["A"], "C": key.codes["C"]}, 9, SALT)
        with pytest.raises(ConfigError, match="not the key that was sealed"):
            opened(swapped, key.sha256)

    def test_a_key_survives_its_file(self) -> None:
        key = sealed(self.DESIGN.treatments, 9, SALT)
        assert msgspec.json.decode(msgspec.json.encode(key), type=Key).sha256 == key.sha256

    def test_a_short_salt_is_refused(self) -> None:
        with pytest.raises(ConfigError, match="at least 16 characters"):
            sealed(["a"], 1, "salt")


class TestResponders:
    @pytest.mark.parametrize(
        ("answers", "kind"),
        [([True] * 3, "responder"), ([False] * 4, "non-responder"), ([True, False, True], "variable")],
    )
    def test_repeated_tests_tell_responders_apart(self, answers: list[bool], kind: str) -> None:
        found = responder(answers)
        assert found is not None
        assert found.kind == kind

    def test_one_answer_makes_no_responder(self) -> None:
        assert responder([True, True]) is None


def test_a_design_survives_the_journal() -> None:
    design = TestBlinding.DESIGN
    assert msgspec.json.decode(msgspec.json.encode(design), type=Design) == design
