"""Charge per phase, charge density and Shannon's k of usual electrodes, and when they warn."""

from math import inf, log10, nan, nextafter, pi

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from drivers.interface import Polarity, PulseTrain, shannon_k
from kindle.electrode import Electrode, charge_report, first_warnings


def train(current_ua: float) -> PulseTrain:
    return PulseTrain(current_ua=current_ua, phase_us=1000.0, interphase_us=0.0, pulse_hz=50.0, train_s=1.0)


def wire(diameter_um: float, bare_mm: float = 0.0) -> float:
    """Area in cm2 of a wire's cut end and bared shaft: pi d^2/4 + pi d L; stimulator reference, section 8."""
    diameter_cm, bare_cm = diameter_um * 1e-4, bare_mm * 0.1
    return pi * diameter_cm**2 / 4 + pi * diameter_cm * bare_cm


class TestCharge:
    @pytest.mark.parametrize(
        ("area_cm2", "printed_area", "k_at"),
        [
            (wire(127), 1.27e-4, (1.30, 1.90, 2.50, 3.10, 3.90)),
            (wire(127, 0.5), 2.12e-3, (0.07, 0.67, 1.28, 1.88, 2.67)),
            (wire(200), 3.14e-4, (0.90, 1.50, 2.10, 2.71, 3.50)),
            (wire(200, 0.5), 3.46e-3, (-0.14, 0.46, 1.06, 1.67, 2.46)),
            (wire(250, 0.5), 4.42e-3, (-0.25, 0.35, 0.96, 1.56, 2.35)),
        ],
    )
    def test_shannon_k_of_usual_electrodes(self, area_cm2: float, printed_area: float, k_at: tuple[float, ...]) -> None:
        """k at 50, 100, 200, 400 and 1000 uA, phases of 1 ms; table of the stimulator reference, section 8."""
        assert area_cm2 == pytest.approx(printed_area, rel=0.01)
        for current_ua, k in zip((50.0, 100.0, 200.0, 400.0, 1000.0), k_at, strict=True):
            report = charge_report(train(current_ua), Electrode("steel", area_cm2))
            assert report.shannon_k == pytest.approx(k, abs=0.01)

    @pytest.mark.parametrize(
        ("area_cm2", "at_k_150", "at_k_185"),
        [
            (wire(127), 63, 95),
            (wire(127, 0.5), 259, 388),
            (wire(200), 100, 149),
            (wire(200, 0.5), 331, 495),
            (wire(250, 0.5), 374, 559),
        ],
    )
    def test_the_current_from_which_it_warns(self, area_cm2: float, at_k_150: int, at_k_185: int) -> None:
        """I(k) = sqrt(10^k x A) x 1e6 / t; table of the stimulator reference, section 8."""
        electrode = Electrode("a metal of which no figure is known", area_cm2)
        assert charge_report(train(at_k_150 - 1.0), electrode).warning == ""
        assert "conservative boundary of 1.5" in charge_report(train(at_k_150 + 1.0), electrode).warning
        assert "conservative boundary of 1.5" in charge_report(train(at_k_185 - 1.0), electrode).warning
        assert "damage boundary of 1.85" in charge_report(train(at_k_185 + 1.0), electrode).warning

    def test_a_classical_current_on_a_cut_end(self) -> None:
        """500 uA x 1 ms on 3.1e-4 cm2: 0.5 uC, 1590 uC/cm2, k = 2.9; domain reference, section 17.1."""
        report = charge_report(train(500.0), Electrode("steel", wire(200)))
        assert report.charge_per_phase_uc == pytest.approx(0.5)
        assert report.charge_density_uc_cm2 == pytest.approx(1590, abs=5)
        assert report.shannon_k == pytest.approx(2.9, abs=0.01)
        assert report.warning == (
            "Shannon k = 2.90 reaches the damage boundary of 1.85; "
            "the charge density exceeds the 40 uC/cm2 given for stainless steel"
        )
        assert shannon_k(0.5, wire(200, 0.5)) == pytest.approx(1.86, abs=0.01)

    @pytest.mark.parametrize(("area_cm2", "density"), [(wire(127), 789), (wire(127, 0.5), 47), (wire(250, 0.5), 23)])
    def test_charge_density_at_100_microamps(self, area_cm2: float, density: int) -> None:
        """Table of the stimulator reference, section 8."""
        report = charge_report(train(100.0), Electrode("steel", area_cm2))
        assert report.charge_density_uc_cm2 == pytest.approx(density, abs=0.5)

    @settings(deadline=None)
    @given(charge_uc=st.floats(1e-6, 1e3), area_cm2=st.floats(1e-6, 10.0))
    def test_k_is_the_logarithm_of_charge_squared_over_area(self, charge_uc: float, area_cm2: float) -> None:
        """k = log10(Q x D) = log10(Q^2 / A); stimulator reference, section 8."""
        assert shannon_k(charge_uc, area_cm2) == pytest.approx(log10(charge_uc**2 / area_cm2), abs=1e-9)

    @pytest.mark.parametrize("area_cm2", [nan, inf, 0.0, -1.0, nextafter(10.0, 11.0)])
    def test_an_impossible_area_is_refused(self, area_cm2: float) -> None:
        with pytest.raises(msgspec.ValidationError, match="area_cm2"):
            msgspec.convert({"material": "steel", "area_cm2": area_cm2}, Electrode)


class TestWarnings:
    @pytest.mark.parametrize(
        ("material", "polarity", "last_clear", "first_warned"),
        [
            ("stainless steel", "cathodic_first", 39.9, 40.1),
            ("316LVM", "anodic_first", 39.9, 40.1),
            ("platinum", "cathodic_first", 99.9, 100.1),
            ("Pt/Ir 90/10", "anodic_first", 49.9, 50.1),
        ],
    )
    def test_each_metal_warns_from_its_own_charge_density(
        self, material: str, polarity: Polarity, last_clear: float, first_warned: float
    ) -> None:
        """Lower figures in uC/cm2 of Merrill, Bikson and Jefferys 2005; stimulator reference, section 8."""
        electrode = Electrode(material, 1e-3)
        clear = structs.replace(train(last_clear), polarity=polarity)
        warned = structs.replace(train(first_warned), polarity=polarity)
        assert "charge density" not in charge_report(clear, electrode).warning
        assert "charge density" in charge_report(warned, electrode).warning

    def test_of_an_unknown_metal_only_k_is_known(self) -> None:
        report = charge_report(train(1000.0), Electrode("tungsten", 2e-3))
        assert "density" not in report.warning
        assert "Shannon k" in report.warning

    def test_each_boundary_is_new_once_on_the_way_up(self) -> None:
        electrode = Electrode("stainless steel", wire(200, 0.5))
        reports = [charge_report(train(current_ua), electrode) for current_ua in (900.0, 300.0, 100.0, 350.0, 500.0)]
        assert [report.current_ua for report in first_warnings(reports)] == [300.0, 350.0, 500.0]
        assert first_warnings([charge_report(train(50.0), electrode)]) == []
