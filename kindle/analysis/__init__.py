"""Statistics of anticonvulsant experiments: dose-response, interaction, paired measures, latencies and doses.

Pure functions over plain numbers, frozen results with `.as_dict()`. A name is imported when it is first used, so that
`import kindle.analysis` costs nothing. No module here is called like a public function: the name is the callable.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kindle.analysis.doses import convert_dose
    from kindle.analysis.isoboles import isobole
    from kindle.analysis.karber import spearman_karber
    from kindle.analysis.latencies import latency
    from kindle.analysis.paired_measures import paired
    from kindle.analysis.plot_isobole import plot_isobologram
    from kindle.analysis.plot_quantal import plot_dose_response
    from kindle.analysis.potency import potency_ratio
    from kindle.analysis.quantal import fit_quantal
    from kindle.analysis.staircase import up_and_down
    from kindle.analysis.trend import dose_trend

__all__ = [
    "convert_dose",
    "dose_trend",
    "fit_quantal",
    "isobole",
    "latency",
    "paired",
    "plot_dose_response",
    "plot_isobologram",
    "potency_ratio",
    "spearman_karber",
    "up_and_down",
]

_MODULE_OF = {
    "convert_dose": "doses",
    "dose_trend": "trend",
    "fit_quantal": "quantal",
    "isobole": "isoboles",
    "latency": "latencies",
    "paired": "paired_measures",
    "plot_dose_response": "plot_quantal",
    "plot_isobologram": "plot_isobole",
    "potency_ratio": "potency",
    "spearman_karber": "karber",
    "up_and_down": "staircase",
}


def __getattr__(name: str) -> object:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
