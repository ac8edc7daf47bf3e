"""The animal flow as a figure: boxes from above to below, those who left to the side, the treatments at the bottom."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from textwrap import wrap

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from kindle.report.study_flow import Arm, Flow, Lost, Step
from kindle.report.style import BLUE, FIGURE_WIDTH_IN, GREY, INK, SMALL_PT

LINE_IN = 0.128
PAD_IN = 0.07
GAP_IN = 0.24
TRUNK_IN = 2.3
SIDE_IN = 4.2
ARMS_A_ROW = 4
ARM_GAP_IN = 0.14
ARM_IN = (FIGURE_WIDTH_IN - 0.1 - ARM_GAP_IN * (ARMS_A_ROW - 1)) / ARMS_A_ROW
CHARACTERS_PER_IN = 17.0
NAMED = 6
"""So many animals of a reason are named; of more, the first."""


@dataclass(frozen=True, slots=True)
class _Box:
    x_in: float
    width_in: float
    lines: tuple[str, ...]
    colour: str = INK

    @property
    def height_in(self) -> float:
        return len(self.lines) * LINE_IN + 2 * PAD_IN


def flow_figure(flow: Flow) -> Figure:
    """As wide as a page; every box is as high as its words need."""
    trunk = [_step_boxes(step) for step in flow.steps]
    arms = [_arm_boxes(flow.arms[n : n + ARMS_A_ROW]) for n in range(0, len(flow.arms), ARMS_A_ROW)]
    heights = [max(box.height_in for box in row) for row in (*trunk, *arms)]
    total_in = sum(heights) + GAP_IN * (len(heights) - 1) + 0.1
    figure = Figure(figsize=(FIGURE_WIDTH_IN, total_in), facecolor="white")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_xlim(0, FIGURE_WIDTH_IN)
    axes.set_ylim(0, total_in)
    top_in = total_in - 0.05
    for n, (row, height_in) in enumerate(zip((*trunk, *arms), heights, strict=True)):
        for box in row:
            _draw(axes, box, top_in)
        if n < len(trunk):
            _to_the_side(axes, row, top_in)
        if n + 1 < len(trunk) or (n + 1 == len(trunk) and arms):
            _down(axes, row[0], top_in, height_in, arms[0] if n + 1 == len(trunk) else ())
        top_in -= height_in + GAP_IN
    return figure


def _step_boxes(step: Step) -> list[_Box]:
    words = (f"{step.what}: n\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}{step.n}", *filter(None, (step.note,)))
    boxes = [_Box(0.05, TRUNK_IN, _wrapped(words, TRUNK_IN), BLUE)]
    if step.lost:
        boxes.append(_Box(0.05 + TRUNK_IN + 0.5, SIDE_IN, _wrapped(_lost(step.lost), SIDE_IN), GREY))
    return boxes


def _arm_boxes(arms: Sequence[Arm]) -> list[_Box]:
    return [_Box(0.05 + n * (ARM_IN + ARM_GAP_IN), ARM_IN, _wrapped(_arm(arm), ARM_IN)) for n, arm in enumerate(arms)]


def _lost(lost: Lost) -> Iterator[str]:
    for reason, animals in lost.items():
        more = ", …" if len(animals) > NAMED else ""
        yield f"{reason}: n\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}{len(animals)} ({', '.join(animals[:NAMED])}{more})"


def _arm(arm: Arm) -> Iterator[str]:
    yield arm.name
    if arm.allocated is not None:
        yield f"allocated: n\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}{arm.allocated}"
    yield from _lost(arm.lost)
    yield f"tested: n\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}{arm.tested}"
    for one in arm.outcomes:
        yield f"{one.outcome}: n\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}{one.n}"


def _wrapped(words: Iterator[str] | Sequence[str], width_in: float) -> tuple[str, ...]:
    characters = int((width_in - 2 * PAD_IN) * CHARACTERS_PER_IN)
    return tuple(line for one in words for line in wrap(one, characters, subsequent_indent="  "))


def _draw(axes: Axes, box: _Box, top_in: float) -> None:
    corner = (box.x_in, top_in - box.height_in)
    axes.add_patch(
        Rectangle(corner, box.width_in, box.height_in, facecolor="white", edgecolor=box.colour, linewidth=0.9)
    )
    for n, line in enumerate(box.lines):
        axes.text(
            box.x_in + PAD_IN,
            top_in - PAD_IN - (n + 0.5) * LINE_IN,
            line,
            fontsize=SMALL_PT,
            color=INK,
            weight="bold" if n == 0 and box.colour != GREY else "normal",
            va="center",
            parse_math=False,
        )


def _to_the_side(axes: Axes, row: Sequence[_Box], top_in: float) -> None:
    for side in row[1:]:
        y_in = top_in - min(box.height_in for box in row) / 2
        _arrow(axes, (row[0].x_in + row[0].width_in, y_in), (side.x_in, y_in))


def _down(axes: Axes, box: _Box, top_in: float, row_in: float, arms: Sequence[_Box]) -> None:
    """To the next box of the trunk, or to each of the first row of treatments."""
    from_in, to_in = top_in - box.height_in, top_in - row_in - GAP_IN
    middle_in = box.x_in + box.width_in / 2
    if not arms:
        _arrow(axes, (middle_in, from_in), (middle_in, to_in))
        return
    turn_in = to_in + GAP_IN / 2
    ends = [arm.x_in + arm.width_in / 2 for arm in arms]
    axes.plot([middle_in, middle_in], [from_in, turn_in], color=GREY, linewidth=0.9)
    axes.plot([min(*ends, middle_in), max(*ends, middle_in)], [turn_in] * 2, color=GREY, linewidth=0.9)
    for end in ends:
        _arrow(axes, (end, turn_in), (end, to_in))


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    axes.annotate(
        "", end, start, arrowprops={"arrowstyle": "-|>", "color": GREY, "linewidth": 0.9, "shrinkA": 0, "shrinkB": 0}
    )
