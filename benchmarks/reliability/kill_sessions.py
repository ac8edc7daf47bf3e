"""The sessions that are killed and disturbed: every protocol, short enough to be had by the hundred."""

from msgspec import structs

from detectors.criterion import Criterion
from kindle.exchange import Dose
from kindle.protocols.catalogue import Plan
from kindle.protocols.drug_test import DrugTestPlan
from kindle.protocols.injecting import Injection
from kindle.protocols.kindling import KindlingPlan
from kindle.protocols.ladder import Ratio
from kindle.protocols.ptz import PtzPlan
from kindle.protocols.search import Bracket, UpDown
from kindle.protocols.threshold import Continuation, ThresholdPlan, TrainShape

ANIMAL = "R01"
THRESHOLD_UA = 27.0
"""Of the simulated rat: the second current of the rising series."""
STUDY = 'name = "reliability"\n'

_CRITERION = Criterion(onset_window_s=3.0, baseline_s=5.0, secondary_window_s=3.0)
_TRAIN = TrainShape("biphasic", "cathodic_first", 1000.0, 0.0, 50.0, 1.0)
_RISING = ThresholdPlan("mine@1", 24.0, Ratio(1.2), 45.0, 12.0, 12.0, 5.0, 6.0, _TRAIN, _CRITERION, "ask")
_DAILY = KindlingPlan("mine@1", 60.0, _TRAIN, 2, 12.0, 12.0, 5.0, 6.0, _CRITERION, "racine_1972@1")
_VALPROATE = Injection(Dose("sodium valproate", "mg_salt", 200.0, "i.p.", 20.0))
_PENTYLENETETRAZOL = Injection(Dose("pentylenetetrazol", "mg_salt", 60.0, "s.c.", 0.0))

PLANS: dict[str, Plan] = {
    "rising": _RISING,
    "up and down": structs.replace(_RISING, search=UpDown(28.8, reversals=2)),
    "bracket": structs.replace(_RISING, search=Bracket(1.2)),
    "to the generalised seizure": structs.replace(_RISING, continuation=Continuation("racine_1972@1", 4.0)),
    "kindling": _DAILY,
    "drug test": DrugTestPlan("mine@1", (_VALPROATE,), 60.0, structs.replace(_DAILY, trains=1), "valproate 200"),
    "pentylenetetrazol": PtzPlan("mine@1", (_VALPROATE,), _PENTYLENETETRAZOL, 60.0, 30.0, "guide_2025@1", 4.0, 5.0),
}
