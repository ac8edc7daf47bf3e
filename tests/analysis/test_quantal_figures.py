"""What a dose-response figure shows, read back from its artists."""

from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.figure import Figure

from kindle.analysis import fit_quantal, plot_dose_response
from kindle.analysis.drawing import save

DOSES, EIGHT = [50, 100, 150, 200], [8] * 4
FIT = fit_quantal(DOSES, EIGHT, [1, 3, 6, 8], unit="mg/kg")


def written(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]


def markers(figure: Figure, marker: str) -> list[tuple[float, float]]:
    lines = figure.axes[0].lines
    return [
        (float(np.ravel(line.get_xdata())[0]), float(np.ravel(line.get_ydata())[0]))
        for line in lines
        if line.get_marker() == marker and np.size(line.get_xdata())
    ]


def test_every_point_has_its_counts_and_the_axis_its_unit() -> None:
    figure = plot_dose_response(FIT)

    assert written(figure) == ["1/8", "3/8", "6/8", "8/8"]
    assert markers(figure, "o") == [(50, 12.5), (100, 37.5), (150, 75.0), (200, 100.0)]
    assert figure.axes[0].get_xscale() == "log"
    assert figure.axes[0].get_xlabel() == "Dose (mg/kg)"


def test_the_band_crosses_half_exactly_at_fiellers_limits() -> None:
    figure = plot_dose_response(FIT)
    estimate = FIT.ed(ci="fieller")
    (band,) = figure.axes[0].collections
    outline = band.get_paths()[0].vertices
    x, y = np.asarray(outline)[:, 0], np.asarray(outline)[:, 1]
    log_x, above = np.log10(x), y - 50
    at = np.flatnonzero(above[:-1] * above[1:] < 0)
    crossings = 10 ** (log_x[at] - above[at] * (log_x[at + 1] - log_x[at]) / (above[at + 1] - above[at]))

    assert sorted(crossings) == pytest.approx([estimate.low, estimate.high], rel=2e-3)
    assert markers(figure, "D")[0] == pytest.approx((estimate.value, 50))


def test_points_at_none_and_all_are_open() -> None:
    figure = plot_dose_response(fit_quantal(DOSES, EIGHT, [0, 3, 6, 8]))
    faces = [line.get_markerfacecolor() for line in figure.axes[0].lines if line.get_marker() == "o"][:4]

    assert [face == "white" for face in faces] == [True, False, False, True]


def test_a_separated_table_shows_its_bracket_and_no_curve() -> None:
    figure = plot_dose_response(fit_quantal(DOSES, EIGHT, [0, 0, 8, 8]))
    axes = figure.axes[0]

    assert not axes.collections
    (shade,) = axes.patches
    assert (shade.get_x(), shade.get_x() + shade.get_width()) == pytest.approx((100, 150))  # type: ignore[attr-defined]
    assert not markers(figure, "D")


def test_without_a_significant_slope_there_is_a_band_and_no_limits() -> None:
    figure = plot_dose_response(fit_quantal(DOSES, EIGHT, [2, 3, 5, 5]))

    assert len(figure.axes[0].collections) == 1
    horizontal = [line for line in figure.axes[0].lines if len(set(np.ravel(line.get_ydata()))) == 1]
    assert all(np.ptp(np.ravel(line.get_xdata())) in (0, 1) for line in horizontal)


def test_two_drugs_have_their_own_colour_shape_and_entry_in_the_legend() -> None:
    other = fit_quantal([60, 120, 180, 240], EIGHT, [1, 2, 5, 7], unit="mg/kg")
    figure = plot_dose_response({"sodium valproate": FIT, "magnesium valproate": other})
    (legend,) = figure.legends

    assert [text.get_text() for text in legend.get_texts()] == ["sodium valproate", "magnesium valproate"]
    assert len(markers(figure, "s")) == 4
    assert len(written(figure)) == 8


def test_crowded_counts_stand_above_the_axes_and_do_not_overlap() -> None:
    doses = [1.1, 1.3, 2.0, 2.2, 2.8, 3.7, 3.9, 4.4, 4.8, 5.9, 6.8]
    figure = plot_dose_response(fit_quantal(doses, [15] * 11, [4, 4, 3, 5, 4, 5, 9, 8, 11, 12, 13]))
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in figure.axes[0].texts]

    assert len(boxes) == 11
    for a, b in pairwise(boxes):
        assert a.x1 <= b.x0 + 1.0


def test_tick_labels_do_not_overlap() -> None:
    figure = plot_dose_response(
        fit_quantal([5.1, 10.0, 20.4, 30.2, 40.7, 50.1], [49, 48, 48, 49, 50, 48], [16, 18, 34, 47, 47, 48])
    )
    figure.draw_without_rendering()
    boxes = [tick.get_window_extent() for tick in figure.axes[0].get_xticklabels()]

    for a, b in pairwise(boxes):
        assert a.x1 < b.x0


@pytest.mark.parametrize("suffix", [".svg", ".png", ".pdf"])
def test_figures_are_written_in_each_format_and_the_same_each_time(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"ed50{suffix}"
    save(plot_dose_response(FIT), path)

    assert path.stat().st_size > 1000
    if suffix == ".svg":
        assert ElementTree.parse(path).getroot().tag.endswith("svg")


def test_nothing_to_draw_is_said() -> None:
    with pytest.raises(ValueError, match="r > n"):
        plot_dose_response(fit_quantal([50, 100], [8, 8], [1, 9]))
