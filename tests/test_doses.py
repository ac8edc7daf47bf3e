"""Salts, volumes and syringes: what is ordered, what is drawn, and what the animal really got."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kindle.doses import (
    Solution,
    Syringe,
    basis_of,
    draw,
    draw_coded,
    injection_text,
    on_basis,
    ordered,
    uncoded,
    warnings,
)
from kindle.errors import ConfigError
from kindle.exchange import CodedDose, Dose, Inject
from kindle.substances import BASES, SUBSTANCES, Basis, convert, equivalent, substance

INSULIN = Syringe(0.01, 1.0)
NAV = ordered(200.0, "mg_salt", "sodium valproate", route="i.p.", pretreatment_s=900.0)
NAV_100 = Solution("sodium valproate", 100.0, "saline", "batch 7")


class TestSalts:
    @pytest.mark.parametrize(
        ("salt", "mg", "mmol", "acid"),
        [
            ("magnesium valproate", 94.58, 0.6088, 87.8),
            ("sodium valproate", 97.41, 0.5861, 84.5),
            ("magnesium valproate", 176.96, 1.1390, 164.3),
            ("sodium valproate", 129.26, 0.7778, 112.2),
        ],
    )
    def test_the_doses_of_the_guide_on_the_basis_of_valproate(
        self, salt: str, mg: float, mmol: float, acid: float
    ) -> None:
        """Statistics reference, case N01; domain reference, section 12: by mg MgV looks stronger, by mmol NaV does."""
        assert convert(mg, substance(salt), "mg_salt", "mmol_active") == pytest.approx(mmol, abs=1.1e-4)
        assert convert(mg, substance(salt), "mg_salt", "mg_free") == pytest.approx(acid, abs=0.06)

    def test_a_hydrate_is_weighed_with_its_water(self) -> None:
        dry, wet = substance("magnesium sulfate anhydrous"), substance("magnesium sulfate heptahydrate")
        assert equivalent(120.36, dry, wet) == pytest.approx(246.47)
        assert wet.molar_mass - dry.molar_mass == pytest.approx(7 * 18.015, abs=0.01)

    def test_magnesium_can_be_counted_in_magnesium_valproate(self) -> None:
        """One magnesium for two valproates."""
        assert convert(310.717, substance("magnesium valproate"), "mg_salt", "mg_cation") == pytest.approx(24.305)
        assert convert(310.717, substance("magnesium valproate"), "mg_salt", "mmol_active") == pytest.approx(2.0)

    @pytest.mark.parametrize("name", ["valproate", "VPA", "MgSO4", "magnesium chloride"])
    def test_a_name_that_leaves_the_salt_open_is_refused(self, name: str) -> None:
        with pytest.raises(ConfigError, match="leaves the salt open; say which: "):
            substance(name)

    def test_an_unknown_substance_names_those_that_there_are(self) -> None:
        with pytest.raises(ConfigError, match="no substance 'aspirin'; there are: carbamazepine"):
            substance("aspirin")

    def test_valproate_is_not_to_be_had_from_phenytoin(self) -> None:
        with pytest.raises(ConfigError, match="acts as phenytoin"):
            equivalent(30.0, substance("phenytoin"), substance("sodium valproate"))

    def test_what_is_no_salt_has_no_cation(self) -> None:
        with pytest.raises(ConfigError, match="diazepam is no salt"):
            convert(1.0, substance("diazepam"), "mg_salt", "mg_cation")

    @given(st.sampled_from(sorted(SUBSTANCES)), st.floats(0.01, 1e4), st.sampled_from(BASES), st.sampled_from(BASES))
    def test_converting_there_and_back_changes_nothing(
        self, name: str, amount: float, there: Basis, back: Basis
    ) -> None:
        known = substance(name)
        assume(known.cation is not None or "cation" not in there + back)
        assert convert(convert(amount, known, there, back), known, back, there) == pytest.approx(amount)

    @given(st.sampled_from(sorted(SUBSTANCES)))
    def test_no_part_weighs_more_than_the_whole(self, name: str) -> None:
        known = substance(name)
        assert known.n_active * known.active.molar_mass <= known.molar_mass + 1e-9
        if known.cation is not None:
            assert known.n_cations * known.cation.molar_mass < known.molar_mass


class TestOrders:
    def test_an_order_in_millimoles_becomes_milligrams_of_what_is_weighed(self) -> None:
        dose = ordered(1.0, "mmol_active", "magnesium valproate", route="i.p.", pretreatment_s=900.0)
        assert (dose.basis, dose.mg_per_kg) == ("mg_salt", pytest.approx(155.3585))

    def test_a_dose_that_does_not_say_of_what_it_is_counts_for_nothing(self) -> None:
        with pytest.raises(ConfigError, match="does not say of what its milligrams are"):
            basis_of(Dose("sodium valproate", "", 200.0, "i.p.", 900.0))

    @pytest.mark.parametrize("amount", [0.0, -1.0, float("nan"), float("inf")])
    def test_a_dose_is_a_positive_number(self, amount: float) -> None:
        with pytest.raises(ConfigError, match="must be a positive number"):
            ordered(amount, "mg_salt", "sodium valproate", route="i.p.", pretreatment_s=900.0)


class TestSyringes:
    def test_the_volume_follows_from_weight_and_concentration(self) -> None:
        """250 g at 200 mg/kg from 100 mg/ml: 0.5 ml."""
        drawn = draw(NAV, 250.0, NAV_100, INSULIN)
        assert drawn.volume_ml == 0.5
        assert drawn.given_mg_per_kg == pytest.approx(200.0)
        assert drawn.given_mmol_per_kg == pytest.approx(200.0 / 166.196)

    def test_the_dose_really_given_follows_from_the_marks(self) -> None:
        drawn = draw(NAV, 253.0, NAV_100, Syringe(0.02, 1.0))
        assert (drawn.exact_volume_ml, drawn.volume_ml) == (pytest.approx(0.506), 0.5)
        assert drawn.given_mg_per_kg == pytest.approx(50.0 / 0.253)

    def test_a_dose_on_another_basis_is_drawn_from_the_salt(self) -> None:
        as_acid = ordered(144.214, "mg_free", "sodium valproate", route="i.p.", pretreatment_s=900.0)
        drawn = draw(as_acid, 250.0, NAV_100, Syringe(0.0001, 1.0))
        assert drawn.volume_ml == pytest.approx(166.196 * 0.25 / 100.0, abs=1e-4)
        assert on_basis(as_acid, "mmol_active") == pytest.approx(1.0)

    @given(
        st.sampled_from(("sodium valproate", "magnesium valproate", "valproic acid")),
        st.floats(1.0, 1000.0),
        st.floats(50.0, 800.0),
        st.floats(1.0, 200.0),
        st.sampled_from((0.01, 0.02, 0.05, 0.1)),
    )
    def test_what_was_given_is_never_off_by_more_than_half_a_mark(
        self, name: str, mg_per_kg: float, weight_g: float, mg_per_ml: float, mark_ml: float
    ) -> None:
        dose = ordered(mg_per_kg, "mg_salt", name, route="i.p.", pretreatment_s=900.0)
        assume(mg_per_kg * weight_g / 1000 / mg_per_ml > mark_ml)
        drawn = draw(dose, weight_g, Solution(name, mg_per_ml), Syringe(mark_ml, 1e6))
        assert abs(drawn.volume_ml - drawn.exact_volume_ml) <= mark_ml / 2 + 1e-9
        assert drawn.volume_ml / mark_ml == pytest.approx(round(drawn.volume_ml / mark_ml))
        assert drawn.given_mg_per_kg is not None
        assert drawn.given_mg_per_kg * weight_g / 1000 == pytest.approx(drawn.volume_ml * mg_per_ml)

    def test_a_volume_that_does_not_go_in_is_refused_not_clipped(self) -> None:
        with pytest.raises(ConfigError, match="take a larger syringe or a stronger solution"):
            draw(NAV, 600.0, NAV_100, INSULIN)

    def test_a_volume_below_the_first_mark_is_refused(self) -> None:
        small = ordered(1.0, "mg_salt", "sodium valproate", route="i.p.", pretreatment_s=900.0)
        with pytest.raises(ConfigError, match="less than half a mark"):
            draw(small, 250.0, NAV_100, INSULIN)

    def test_another_bottle_than_the_one_ordered_is_refused(self) -> None:
        with pytest.raises(
            ConfigError, match="the solution holds magnesium valproate; the dose is of sodium valproate"
        ):
            draw(NAV, 250.0, Solution("magnesium valproate", 100.0), INSULIN)

    @pytest.mark.parametrize("weight_g", [0.0, -250.0, float("nan")])
    def test_an_animal_without_a_weight_gets_nothing(self, weight_g: float) -> None:
        with pytest.raises(ConfigError, match="weight of the animal"):
            draw(NAV, weight_g, NAV_100, INSULIN)

    def test_much_volume_and_much_rounding_are_said(self) -> None:
        weak = draw(NAV, 250.0, Solution("sodium valproate", 10.0), Syringe(0.1, 20.0))
        assert "20 ml/kg" in warnings(weak)[0]
        assert "+11.1%" in warnings(draw(NAV, 225.0, NAV_100, Syringe(0.5, 1.0)))[0]


class TestBlinding:
    CODED = CodedDose("B", 2.0, "i.p.", 900.0)

    def test_a_blinded_syringe_tells_a_volume_and_no_dose(self) -> None:
        drawn = draw_coded(self.CODED, 250.0, INSULIN)
        assert (drawn.volume_ml, drawn.given_mg_per_kg, drawn.given_mmol_per_kg) == (0.5, None, None)
        said = injection_text(Inject(self.CODED, drawn))
        assert said == "Inject 0.5 ml for 250 g: code B, 2 ml/kg i.p."

    def test_opening_the_code_tells_what_was_really_given(self) -> None:
        opened = uncoded(draw_coded(self.CODED, 253.0, Syringe(0.02, 1.0)), NAV, NAV_100)
        assert opened.volume_ml == 0.5
        assert opened.given_mg_per_kg == pytest.approx(50.0 / 0.253)

    def test_an_open_dose_is_told_in_full(self) -> None:
        said = injection_text(Inject(NAV, draw(NAV, 250.0, NAV_100, INSULIN)))
        assert said == "Inject 0.5 ml for 250 g: sodium valproate, 200 mg/kg (mg_salt) i.p."
