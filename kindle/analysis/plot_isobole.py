"""The isobologram: where two drugs would only add up, and where their mixture lies."""

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import stats

from kindle.analysis.additivity import Pair, curves_between, parallel
from kindle.analysis.drawing import (
    BLUE,
    GREY,
    INK,
    LABEL_PT,
    SKY_BLUE,
    SMALL_PT,
    VERMILLION,
    heading,
    label,
    legend,
    new_figure,
    with_unit,
)
from kindle.analysis.isoboles import Isobole
from kindle.analysis.outcome import Interval
from kindle.analysis.potencies import Potency, named

RAYS = np.linspace(0.001, 0.999, 160)


def plot_isobologram(iso: Isobole) -> Figure:
    """Raises ``ValueError`` for an analysis that ended in an error: there is nothing to draw."""
    if not iso.additive or iso.mass_fraction_a is None or iso.a is None or iso.b is None:
        raise ValueError(f"no isobologram: {iso.status.message}")
    figure, axes = new_figure(height_in=3.9)
    shown: list[Artist] = []
    z = float(stats.norm.ppf(0.5 + iso.level / 2))
    extent = _extent(iso, z)
    if isinstance(iso.a, Potency) and isinstance(iso.b, Potency):
        shown += _two_active(axes, iso, iso.a, iso.b, z)
    else:
        shown += _one_inactive(axes, iso, z, extent)
    rho = iso.mass_fraction_a
    ray = min(extent[0] / rho, extent[1] / (1 - rho))
    axes.plot([0, rho * ray], [0, (1 - rho) * ray], color=GREY, linewidth=0.7, linestyle=":", zorder=1)
    shown += _points(axes, iso, rho)
    axes.set_xlim(0, extent[0])
    axes.set_ylim(0, extent[1])
    units = [drug.unit for drug in (iso.a, iso.b)]
    label(axes, with_unit(named(iso.a, "drug A"), units[0]), with_unit(named(iso.b, "drug B"), units[1]))
    if iso.words:
        heading(axes, iso.words)
    legend(figure, shown)
    return figure


def _two_active(axes: Axes, iso: Isobole, a: Potency, b: Potency, z: float) -> list[Artist]:
    for drug, across in ((a, True), (b, False)):
        _bar(axes, drug.ed50, _limits(drug, z), across)
    if len(iso.additive) == 2:
        return _two_curves(axes, a, b)
    (line,) = axes.plot([a.ed50, 0], [0, b.ed50], color=BLUE, linewidth=1.3, label="additive")
    points = [parallel(a, b, float(rho), z) for rho in _rays(a, b)]
    low = [
        (rho * p.interval.low, (1 - rho) * p.interval.low)
        for rho, p in zip(_rays(a, b), points, strict=True)
        if p.interval.low
    ]
    high = [
        (rho * p.interval.high, (1 - rho) * p.interval.high)
        for rho, p in zip(_rays(a, b), points, strict=True)
        if p.interval.high
    ]
    return [line, _band(axes, low, high, f"its {iso.level:.0%} limits")]


def _rays(a: Potency, b: Potency) -> np.ndarray:
    """Mass fractions spread evenly along the line, whatever the potencies."""
    return np.asarray(RAYS * a.ed50 / (RAYS * a.ed50 + (1 - RAYS) * b.ed50))


def _two_curves(axes: Axes, a: Potency, b: Potency) -> list[Artist]:
    assert a.slope is not None
    assert b.slope is not None
    shares = np.linspace(0, 1, 200).tolist()
    curves = curves_between(a.ed50, b.ed50, a.slope / b.slope, shares)
    shown: list[Artist] = [_band(axes, list(curves[0]), list(curves[1]), "additive between the curves")]
    for curve in curves:
        axes.plot([x for x, _ in curve], [y for _, y in curve], color=BLUE, linewidth=1.2)
    return shown


def _one_inactive(axes: Axes, iso: Isobole, z: float, extent: tuple[float, float]) -> list[Artist]:
    """A line parallel to the axis of the drug that does nothing alone."""
    active_is_a = isinstance(iso.a, Potency)
    active = iso.a if isinstance(iso.a, Potency) else iso.b
    assert isinstance(active, Potency)
    limits = _limits(active, z)
    _bar(axes, active.ed50, limits, active_is_a)
    low, high = limits.low or 0.0, limits.high if limits.high is not None else max(extent)
    name = f"its {iso.level:.0%} limits"
    if active_is_a:
        line = axes.axvline(active.ed50, color=BLUE, linewidth=1.3, label="no interaction")
        return [line, axes.axvspan(low, high, color=SKY_BLUE, alpha=0.3, linewidth=0, label=name)]
    line = axes.axhline(active.ed50, color=BLUE, linewidth=1.3, label="no interaction")
    return [line, axes.axhspan(low, high, color=SKY_BLUE, alpha=0.3, linewidth=0, label=name)]


def _points(axes: Axes, iso: Isobole, rho: float) -> list[Artist]:
    names = ("A",) if len(iso.additive) == 1 else ("A'", "A''")
    # Each letter on its own side of the ray, and beside the line: the points may lie close together.
    free = (9.0, -3.0) if isinstance(iso.a, Potency) and isinstance(iso.b, Potency) else (6.0, -12.0)
    shown: list[Artist] = []
    for name, point in zip(names, iso.additive, strict=True):
        shown.append(_on_ray(axes, rho, point.total, point.interval, (BLUE, "o", "white"), name, "additive dose", free))
    if iso.mixture is not None:
        z = float(stats.norm.ppf(0.5 + iso.level / 2))
        limits = _limits(iso.mixture, z)
        shown.append(
            _on_ray(axes, rho, iso.mixture.ed50, limits, (VERMILLION, "D", VERMILLION), "M", "mixture", (-15.0, -3.0))
        )
    return shown if len(iso.additive) == 1 else shown[1:]


def _on_ray(
    axes: Axes,
    rho: float,
    total: float,
    limits: Interval,
    look: tuple[str, str, str],
    letter: str,
    name: str,
    beside: Pair,
) -> Artist:
    colour, marker, face = look
    ends = np.array([total if limits.low is None else limits.low, total if limits.high is None else limits.high])
    # Limits of the two may overlap: the mixture's lie thin on the broad ones of the additive dose.
    width, alpha = (1.8, 1.0) if letter == "M" else (5.0, 0.45)
    axes.plot(rho * ends, (1 - rho) * ends, color=colour, linewidth=width, alpha=alpha, solid_capstyle="butt", zorder=3)
    (shown,) = axes.plot(
        [rho * total],
        [(1 - rho) * total],
        marker=marker,
        markersize=6,
        markerfacecolor=face,
        markeredgecolor=colour,
        markeredgewidth=1.3,
        linestyle="none",
        zorder=4,
        label=name,
    )
    axes.annotate(
        letter,
        (rho * total, (1 - rho) * total),
        xytext=beside,
        textcoords="offset points",
        fontsize=LABEL_PT,
        color=INK,
        zorder=5,
    )
    return shown


def _bar(axes: Axes, ed50: float, limits: Interval, across: bool) -> None:
    """An ED50 on its own axis, with its limits along that axis."""
    ends = [ed50 if limits.low is None else limits.low, ed50 if limits.high is None else limits.high]
    along = (ends, [0, 0]) if across else ([0, 0], ends)
    axes.plot(*along, color=BLUE, linewidth=3.2, solid_capstyle="butt", clip_on=False, zorder=5)
    at = (ed50, 0) if across else (0, ed50)
    axes.plot(*at, color=BLUE, marker="o", markersize=5.5, markeredgecolor="white", clip_on=False, zorder=5)
    axes.annotate(
        f"{ed50:.3g}",
        at,
        xytext=(3, 5) if across else (6, 3),
        textcoords="offset points",
        fontsize=SMALL_PT,
        color=BLUE,
    )


def _band(axes: Axes, low: list[Pair], high: list[Pair], name: str) -> Artist:
    outline = [*low, *reversed(high)]
    (shown,) = axes.fill(
        [x for x, _ in outline], [y for _, y in outline], color=SKY_BLUE, alpha=0.3, linewidth=0, label=name
    )
    return shown


def _limits(drug: Potency, z: float) -> Interval:
    if drug.interval is not None:
        return drug.interval
    assert drug.se_log10 is not None
    width = 10 ** (z * drug.se_log10)
    return Interval(drug.ed50 / width, drug.ed50 * width)


def _extent(iso: Isobole, z: float) -> tuple[float, float]:
    """Room for every limit, as far as the axes go."""
    assert iso.mass_fraction_a is not None
    rho = iso.mass_fraction_a
    totals = [point.interval.high or point.total for point in iso.additive]
    if iso.mixture is not None:
        totals.append(_limits(iso.mixture, z).high or iso.mixture.ed50)
    reach = [rho * max(totals), (1 - rho) * max(totals)]
    for axis, drug in enumerate((iso.a, iso.b)):
        if isinstance(drug, Potency):
            reach[axis] = max(reach[axis], _limits(drug, z).high or drug.ed50)
    return 1.08 * reach[0], 1.08 * reach[1]
