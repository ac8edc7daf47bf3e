"""What a person asks for at a terminal or a window, and the session that is prepared from it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, assert_never

from kindle.ledger import CONTROL
from kindle.prepared import Prepared, prepare_threshold
from kindle.preparing import prepare_drug_test, prepare_kindling
from kindle.preparing_observations import prepare_electroshock, prepare_ptz
from kindle.rig_config import RigConfig
from kindle.study import Study

ProtocolName = Literal["threshold", "kindling", "drug-test", "ptz", "electroshock"]


@dataclass(frozen=True, slots=True)
class Order:
    """``treatment`` counts for drug tests and observations; ``preset`` for threshold tests."""

    protocol: ProtocolName
    animal: str
    treatment: str = CONTROL
    at_threshold: bool = False
    """A drug test by a threshold test instead of the kindling train."""
    preset: str | None = None
    although: str = ""
    """Why a treatment is tested that the course forbids today; it stands in the journal."""


def prepare(study: Study, order: Order, rig: RigConfig, now: datetime) -> Prepared:
    """Raises ``ConfigError`` and ``UnsafeStimulus`` for whatever forbids it before anything is connected."""
    match order.protocol:
        case "threshold":
            return prepare_threshold(study, order.animal, rig, order.preset)
        case "kindling":
            return prepare_kindling(study, order.animal, rig, now)
        case "drug-test":
            return prepare_drug_test(
                study,
                order.animal,
                rig,
                order.treatment,
                now,
                threshold=order.at_threshold,
                although=order.although,
            )
        case "ptz":
            return prepare_ptz(study, order.animal, rig, order.treatment, now, although=order.although)
        case "electroshock":
            return prepare_electroshock(study, order.animal, rig, order.treatment, now, although=order.although)
        case _:
            assert_never(order.protocol)
