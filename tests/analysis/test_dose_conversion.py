"""Milligrams of a salt on other bases, and what must be refused."""

import pytest

from kindle.analysis import convert_dose
from kindle.errors import ConfigError


@pytest.mark.parametrize(
    ("salt", "mg", "mmol"),
    [
        ("magnesium valproate", 94.58, 0.6088),
        ("sodium valproate", 97.41, 0.5861),
        ("magnesium valproate", 176.96, 1.139),
        ("sodium valproate", 129.26, 0.7778),
    ],
)
def test_per_mole_of_valproate_the_order_of_the_two_salts_can_reverse(salt: str, mg: float, mmol: float) -> None:
    assert convert_dose(mg, salt, "mmol valproate/kg", "mg_salt") == pytest.approx(mmol, abs=0.00011)
    assert convert_dose(mg, salt, "mmol_active", "mg_salt") == pytest.approx(mmol, abs=0.00011)


def test_every_basis_is_there_and_the_way_back_is_the_same() -> None:
    """310.717 mg of magnesium valproate: 1 mmol, 2 of valproate, 288.428 mg of acid, 24.305 mg of magnesium."""
    for words, amount in (
        ("mmol valproate/kg", 2.0),
        ("mg valproic acid/kg", 288.428),
        ("mg magnesium/kg", 24.305),
        ("mmol magnesium/kg", 1.0),
        ("mg sodium valproate/kg", 332.392),
        ("mmol magnesium valproate/kg", 1.0),
    ):
        assert convert_dose(310.717, "magnesium valproate", words, "mg_salt") == pytest.approx(amount)
    for basis in ("mg_free", "mmol_active", "mg_cation", "mmol_cation"):
        there = convert_dose(94.58, "magnesium valproate", basis, "mg_salt")
        assert convert_dose(there, "magnesium valproate", "mg_salt", basis) == pytest.approx(94.58)


@pytest.mark.parametrize(
    ("value", "salt", "to", "basis", "words"),
    [
        (100, "sodium valproate", "mmol valproate/kg", None, "basis"),
        (100, "valproate", "mmol valproate/kg", "mg_salt", "leaves the salt open"),
        (100, "lithium valproate", "mmol valproate/kg", "mg_salt", "lithium valproate"),
        (100, "sodium valproate", "mmol valproate/kg", "mg", "no basis 'mg'"),
        (100, "sodium valproate", "millimoles", "mg_salt", "millimoles"),
        (100, "sodium valproate", "mg diazepam/kg", "mg_salt", "no dose equals the other"),
        (100, "valproic acid", "mg_cation", "mg_salt", "no cation"),
        (-1, "sodium valproate", "mmol_active", "mg_salt", "no dose"),
    ],
)
def test_what_is_not_said_is_not_guessed(value: float, salt: str, to: str, basis: str | None, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        convert_dose(value, salt, to, basis)
