"""Figures of analyses: nothing is cut off, no two words overlap, the same data give the same file."""

from itertools import combinations
from pathlib import Path

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Annotation, Text

from kindle.analysis import isobole, latency, plot_isobologram
from kindle.analysis.curves import Stimulation, kindling_curves
from kindle.analysis.drawing import save
from kindle.analysis.isoboles import Isobole
from kindle.analysis.outcome import Interval
from kindle.analysis.plot_curves import plot_kindling_curves
from kindle.analysis.plot_intervals import plot_threshold_changes, plot_thresholds
from kindle.analysis.plot_paired import plot_paired
from kindle.analysis.plot_survival import plot_latencies
from kindle.analysis.potencies import Inactive, Potency
from kindle.analysis.proportions import share
from kindle.analysis.threshold_change import ratio_limits, threshold_change
from kindle.analysis.thresholds import Threshold, group_threshold


def drug(ed50: float, name: str = "", slope: float | None = None) -> Potency:
    return Potency(ed50, 0.05, 16, slope, name=name, unit="mg/kg")


def type_1(mixture: float) -> Isobole:
    return isobole(drug(94.6, "sodium valproate"), drug(400, "topiramate"), drug(mixture), fraction_of_ed50=0.5)


def type_2() -> Isobole:
    magnesium = Inactive("magnesium sulfate heptahydrate", 400, share(0, 16), "mg/kg")
    return isobole(magnesium, drug(120, "sodium valproate"), drug(300), mass_fraction_a=0.75)


def not_parallel() -> Isobole:
    a, b = drug(100, "valproate", 2), drug(300, "topiramate", 4)
    return isobole(a, b, drug(120), fraction_of_ed50=0.5, kind="I-nonparallel")


def stimulations() -> list[Stimulation]:
    return [
        Stimulation(f"{group} {rat}", group, number, min(5.0, (number + rat) // (2 if group == "vehicle" else 3)))
        for group in ("vehicle", "levetiracetam")
        for rat in range(6)
        for number in range(1, 16 - rat)
    ]


def rungs(*places: int) -> list[Threshold]:
    currents = [0.0, *(8 * 1.2**k for k in range(20))]
    return [Threshold(currents[k], currents[k + 1] if k < 20 else None) for k in places]


def group_thresholds(n: int) -> Figure:
    groups = {
        "before kindling": rungs(*range(n), 0, 20),
        "fully kindled": rungs(6, 7, 8),
        "sodium valproate 200 mg/kg": rungs(14, 15, 20, 20),
        "code A of rig-1": rungs(4),
    }
    return plot_thresholds(groups, {name: group_threshold(rats) for name, rats in groups.items()})


def threshold_changes(*after: int) -> Figure:
    before = rungs(*range(8, 8 + len(after)))
    name = "fully kindled / before kindling"
    change = threshold_change(before, rungs(*after))
    return plot_threshold_changes({name: ratio_limits(before, rungs(*after))}, {name: change})


FIGURES = {
    "synergy": lambda: plot_isobologram(type_1(150)),
    "close": lambda: plot_isobologram(type_1(230)),
    "antagonism": lambda: plot_isobologram(type_1(420)),
    "type 2": lambda: plot_isobologram(type_2()),
    "not parallel": lambda: plot_isobologram(not_parallel()),
    "curves": lambda: plot_kindling_curves(kindling_curves(stimulations(), measure="Racine stage"), middle="median"),
    "durations": lambda: plot_kindling_curves(kindling_curves(stimulations(), measure="afterdischarge", unit="s")),
    "latencies": lambda: plot_latencies(
        latency({"vehicle": ([3, 5, 9, 12], [True] * 4), "valproate": ([8, 20, 30, 30], [True, True, False, False])}),
        time="latency (min)",
        event="seizure",
        remaining="without a seizure",
    ),
    "latencies of five": lambda: plot_latencies(
        latency(
            {f"sodium valproate {dose} mg/kg": ([dose, 2 * dose], [True, False]) for dose in (50, 75, 100, 150, 200)}
        ),
        time="latency (s)",
        event="seizure",
    ),
    "thresholds of few": lambda: group_thresholds(3),
    "thresholds of many": lambda: group_thresholds(18),
    "threshold changes": lambda: threshold_changes(4, 5, 20),
    "changes of nothing": lambda: threshold_changes(8, 9, 10),
    "paired": lambda: plot_paired([62, 70, 81], [20, 75, 81], measure="afterdischarge", unit="s", words="p = 0.5"),
    "stages": lambda: plot_paired([5, 5, 5, 4], [0, 0, 5, 2], measure="Racine stage", names=("vehicle", "valproate")),
    "thresholds": lambda: plot_paired(
        [60, 80], [150, 500], measure="threshold", unit="µA", above=([False, False], [False, True]), log=True
    ),
}


def words_of(figure: Figure) -> list[Text]:
    """All that is drawn: labels of ticks beyond the ends of an axis are not."""
    beyond = set()
    for axis in [axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)]:
        low, high = sorted(axis.get_view_interval())
        ticks = [*axis.get_major_ticks(), *axis.get_minor_ticks()]
        beyond |= {label for tick in ticks if not low <= tick.get_loc() <= high for label in (tick.label1, tick.label2)}
    texts = figure.findobj(Text)
    return [text for text in texts if text.get_visible() and text.get_text().strip() and text not in beyond]


@pytest.mark.parametrize("name", FIGURES)
def test_words_lie_inside_the_figure_and_apart(name: str) -> None:
    figure = FIGURES[name]()
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    boxes = [(text.get_text(), text.get_window_extent(canvas.get_renderer())) for text in words_of(figure)]
    assert len(boxes) >= 6
    for words, box in boxes:
        assert figure.bbox.x0 <= box.x0, words
        assert box.x1 <= figure.bbox.x1, words
        assert figure.bbox.y0 <= box.y0, words
        assert box.y1 <= figure.bbox.y1, words
    for (first, a), (second, b) in combinations(boxes, 2):
        assert not a.padded(-1).overlaps(b.padded(-1)), f"{first!r} lies on {second!r}"


@pytest.mark.parametrize("suffix", ["svg", "png"])
def test_the_same_data_give_the_same_file(tmp_path: Path, suffix: str) -> None:
    for name in ("first", "second"):
        save(plot_isobologram(type_1(150)), tmp_path / f"{name}.{suffix}")
    assert (tmp_path / f"first.{suffix}").read_bytes() == (tmp_path / f"second.{suffix}").read_bytes()


def test_an_analysis_without_a_result_has_no_figure() -> None:
    failed = isobole(Potency(100, None), drug(50), fraction_of_ed50=0.5)
    with pytest.raises(ValueError, match="no isobologram: drug A has no standard error"):
        plot_isobologram(failed)
    with pytest.raises(ValueError, match="no survival curves"):
        plot_latencies(latency({}))
    with pytest.raises(ValueError, match="no kindling curve"):
        plot_kindling_curves(kindling_curves([], measure="stage"))
    with pytest.raises(ValueError, match="one value of each rat"):
        plot_paired([1.0], [], measure="stage")
    with pytest.raises(ValueError, match="no limit is known of any rat"):
        plot_thresholds({"all": [Threshold(0, None)]}, {"all": group_threshold([Threshold(0, None)])})


def test_a_group_of_which_nothing_is_known_on_one_side_is_drawn_as_arrows() -> None:
    change = threshold_change(rungs(8, 9), rungs(20, 20))
    figure = plot_threshold_changes({"drug / control": [Interval(4.0, None)] * 2}, {"drug / control": change})
    assert change.ratio is None
    arrows = [text for text in figure.axes[0].texts if isinstance(text, Annotation)]
    assert [arrow.xyann[1] for arrow in arrows] == [4.0, 4.0]
    assert all(arrow.xy[1] > 5.0 for arrow in arrows)
