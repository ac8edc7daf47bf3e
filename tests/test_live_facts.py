"""What a rig tells a display while it watches: the running discharge with its rate, and gaps where they lie."""

from pathlib import Path

import numpy as np
import pytest

from kindle.progress import Back, Progress, Read, Watching
from kindle.situation import Situation, after
from tests.bench import bench, config, new_study, threshold
from tests.reported_sessions import PLAN


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> list[Watching]:
    folder: Path = new_study(tmp_path_factory.mktemp("watched") / "study")
    heard: list[Watching] = []

    def listen(fact: Progress) -> None:
        if isinstance(fact, Watching):
            heard.append(fact)

    with bench(config(), threshold_ua=22.0) as rig:
        threshold(folder, config(), rig.instruments, listener=listen)
    return heard


def test_a_discharge_that_goes_on_has_a_rate_and_nothing_else_has_one(watched: list[Watching]) -> None:
    assert any(fact.discharge_s is not None for fact in watched)
    assert all((fact.spike_hz is None) == (fact.discharge_s is None) for fact in watched)


def test_the_rate_of_the_simulated_discharge_is_one_of_a_discharge(watched: list[Watching]) -> None:
    rates = [fact.spike_hz for fact in watched if fact.spike_hz is not None]
    assert all(0.5 < rate < 15 for rate in rates)


def test_the_situation_holds_the_rate_while_it_goes_on_and_every_gap() -> None:
    now = Situation("R01", PLAN, config().limits, 1000.0, "racine_1972")
    for fact in (Read(8999, np.zeros((3, 1), np.int16)), Watching(4.0, 2.5, 3.25), Back(9000, 120, "board")):
        now = after(now, fact)
    assert now.spike_hz == 3.25
    assert now.gaps == ((9000, 120),)
    now = after(after(now, Back(9500, 7, "board")), Watching(4.5, None))
    assert now.spike_hz is None
    assert now.gaps == ((9000, 120), (9500, 7))
