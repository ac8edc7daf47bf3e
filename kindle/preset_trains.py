"""The pulses of a published train, each value with its source."""

from typing import Annotated

import msgspec
from msgspec import Meta

from drivers.interface import Polarity, Shape
from kindle.protocols.threshold import TrainShape
from kindle.sourced import Sourced, stated


class TrainFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    shape: Sourced[Shape]
    polarity: Sourced[Polarity]
    phase_us: Sourced[Annotated[float, Meta(gt=0, le=1e6)]]
    interphase_us: Sourced[Annotated[float, Meta(ge=0, le=1e6)]]
    pulse_hz: Sourced[Annotated[float, Meta(gt=0, le=100_000)]]
    train_s: Sourced[Annotated[float, Meta(gt=0, le=3600)]]


def shape_of(train: TrainFields) -> TrainShape:
    """Of a preset without open fields."""
    return TrainShape(
        shape=stated(train.shape),
        polarity=stated(train.polarity),
        phase_us=stated(train.phase_us),
        interphase_us=stated(train.interphase_us),
        pulse_hz=stated(train.pulse_hz),
        train_s=stated(train.train_s),
    )
