"""What a StimJim reads out of a line and prints about a train: the firmware's scanf and printf, with their traps."""

import re
from collections.abc import Sequence
from dataclasses import replace

from drivers.stimjim_codec import GROUNDED, VOLTAGE, Stage, TrainDefinition

POWER_ON = TrainDefinition((GROUNDED, GROUNDED), 10_000, 500_000, ())

MODES = ("Voltage output", "Current output", "No output (high-Z)", "No output (grounded)")
RULE = "-" * 34

_INTEGER = re.compile(r"\s*([+-]?\d+)")


def scan(text: str, most: int) -> list[int]:
    """Integers with commas between them, up to the first thing that is neither."""
    numbers: list[int] = []
    at = 0
    while len(numbers) < most and (found := _INTEGER.match(text, at)):
        numbers.append(int(found[1]))
        at = found.end()
        if text[at : at + 1] != ",":
            break
        at += 1
    return numbers


def redefined(train: TrainDefinition, arguments: str) -> TrainDefinition | None:
    """``train`` after ``S`` with these arguments; half a line changes half of it. ``None``: too many stages.

    Numbers that were understood are stored even where the rest was not, and the stages only with all four of them.
    """
    head, *tail = [token for token in arguments.split(";") if token] or [""]
    numbers = scan(head, 5)[1:]
    modes = [mode if 0 <= mode <= GROUNDED else GROUNDED for mode in numbers[:2]]
    train = replace(
        train,
        modes=(modes[0] if modes else train.modes[0], modes[1] if len(modes) > 1 else train.modes[1]),
        period_us=numbers[2] % 2**32 if len(numbers) > 2 else train.period_us,
        duration_us=numbers[3] % 2**32 if len(numbers) > 3 else train.duration_us,
    )
    if len(numbers) < 4:
        return train
    stages: list[Stage] = []
    for token in tail:
        stage = scan(token, 3)
        if len(stage) < 3:
            break
        if len(stages) == 10:
            return None
        stages.append(Stage(stage[0], stage[1], stage[2] % 2**32))
    return replace(train, stages=tuple(stages))


def printed(index: int, train: TrainDefinition) -> str:
    hz = 1e6 / train.period_us if train.period_us else float("inf")
    units = ["mV" if mode == VOLTAGE else "uA" for mode in train.modes]
    lines = [
        RULE,
        f"Parameters for PulseTrain[{index}]",
        *(f"  mode[ch{channel}]: {mode} ({MODES[mode]})" for channel, mode in enumerate(train.modes)),
        f"  period:    {train.period_us} usec ({train.period_us * 1e-6:.3f} sec, {hz:.3f} Hz)",
        f"  duration:  {train.duration_us} usec ({train.duration_us * 1e-6:.3f} sec)",
        "",
        "  stage    duration     output0   output1",
        *(
            f"   {n:2d}  {stage.duration_us:7d} usec {stage.amplitude0:8d}{units[0]} {stage.amplitude1:8d}{units[1]}"
            for n, stage in enumerate(train.stages)
        ),
        RULE,
        "",
    ]
    return "".join(f"{line}\r\n" for line in lines)


def summarised(n_pulses: int, sums: Sequence[tuple[int, int]], modes: tuple[int, int]) -> str:
    """``sums`` are the readings of every stage added up; the mean drops its fraction."""
    units = ["mV" if mode == VOLTAGE else "uA" for mode in modes]
    lines = [f"Train complete. Delivered {n_pulses} pulses.", "Current/Voltage by stage: ", f"{'Ch0':>14}{'Ch1':>19} "]
    for n, row in enumerate(sums):
        means = [int(total / n_pulses) if n_pulses else 0 for total in row]
        first, second = (f"{mean:6d}{unit},          " for mean, unit in zip(means, units, strict=True))
        lines.append(f"Stage {n}{first}{second}")
    return "".join(f"{line}\r\n" for line in lines)
