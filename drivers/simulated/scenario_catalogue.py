"""What each scenario shows after the train, as the domain reference lists them; times are seconds from its end."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from drivers.simulated import scenario_artefacts as artefacts
from drivers.simulated.scenario_scene import Scene
from drivers.simulated.scenario_waveforms import Floats, Stretch

TrueVerdict = Literal["afterdischarge", "none", "undetermined", "void"]


@dataclass(frozen=True, slots=True)
class Entry:
    """``ratio`` is what a ratio asked for replaces, every other of the scenario keeping its proportion to it."""

    number: str
    name: str
    draw: Callable[[Scene], None]
    verdict: TrueVerdict
    ratio: float = 1.0
    peak_ratio: float = 1.0
    borderline: bool = False
    enlarged: float = 1.0
    rate_hz: float = 1000.0


def steady(first_s: float, last_s: float, rate_hz: float, ratio: float, loosens: bool = False) -> Stretch:
    return Stretch(first_s, last_s, (rate_hz,), (ratio,), loosens)


def short_clean(scene: Scene) -> None:
    scene.discharge(steady(0.8, 4.8, 3, 4))


def just_too_short(scene: Scene) -> None:
    scene.run(steady(0.6, 3.4, 5, 4))


def just_long_enough(scene: Scene) -> None:
    scene.discharge(steady(0.6, 3.8, 5, 4))


def exactly_the_minimum(scene: Scene) -> None:
    scene.discharge(steady(0.6, 3.6, 5, 4))


def nothing(scene: Scene) -> None:
    pass


def slow_decay(scene: Scene) -> None:
    scene.add(0, 4000 * np.exp(-scene.t_s[scene.end :] / 1.2))


def saturated(scene: Scene) -> None:
    scene.rail(0, 3.5)
    _decay_from(scene, 3.5)


def onset_in_blind_time(scene: Scene) -> None:
    scene.discharge(steady(0.5, 20.5, 4, 5, loosens=True), onset_range_s=(0, 2.25))
    scene.rail(0, 2.0)
    _decay_from(scene, 2.0)


def suppression_3_s(scene: Scene) -> None:
    scene.dim(0, 3, 0.3, 0.3)
    scene.discharge(Stretch(3, 33, (2, 5), (5,), loosens=True))


def suppression_12_s(scene: Scene) -> None:
    scene.dim(0, 12, 0.3, 0.3)
    scene.discharge(steady(12, 52, 4, 5, loosens=True))


def chirp(scene: Scene) -> None:
    scene.discharge(Stretch(0.7, 75.7, (2, 6, 6, 1.5), (3, 8, 8, 5), loosens=True))


def pause_4_s(scene: Scene) -> None:
    scene.discharge(steady(0.7, 18.7, 4, 5), steady(22.7, 40.7, 4, 5, loosens=True))


def pause_9_s(scene: Scene) -> None:
    bursts = [steady(first, first + 0.6, 5, 5) for first in (22.5, 25.1, 28.1, 32.1)]
    scene.discharge(steady(0.7, 20.7, 4, 5), *bursts, steady(41.7, 51.7, 4, 5))


def secondary(scene: Scene) -> None:
    scene.dim(30.7, 45.7, 0.3, 0.3)
    scene.discharge(steady(0.7, 30.7, 4, 6))
    scene.discharge(steady(45.7, 57.7, 2, 2.2), kind="secondary")


def interictal_spikes(scene: Scene) -> None:
    scene.discharge(steady(0.7, 25.7, 4, 6))
    gaps = 2 + scene.waves.exponential(1 / 0.3 - 2, 60)
    times = 25.7 + np.cumsum(gaps)
    scene.spikes(times[times <= 120].tolist(), 4)


def gradual_end(scene: Scene) -> None:
    fading = tuple(6 * np.exp(-np.linspace(0, 14.3, 24) / 8))
    scene.discharge(
        steady(0.7, 20.7, 4, 6), Stretch(20.95, 35.0, (4,), fading), grade="gradual", end_range_s=(28.5, 36.0)
    )


def abrupt_end(scene: Scene) -> None:
    scene.discharge(steady(0.7, 40.7, 5, 8))
    scene.dim(40.7, 60.7, 0.15, 0.15)
    scene.dim(60.7, 80.7, 0.15, 1)


def movement_inside(scene: Scene) -> None:
    scene.discharge(steady(0.7, 65.7, 5, 6))
    _move(scene, 25, 45)


def movement_over_the_end(scene: Scene) -> None:
    scene.discharge(steady(0.7, 65.7, 5, 6), grade="artefact", end_range_s=(25, 70))
    _move(scene, 25, 70)


def cable_off(scene: Scene) -> None:
    scene.discharge(steady(0.7, 65.7, 5, 6), grade="truncated", end_range_s=(39.75, 40.0))
    gone = scene.span(40, 180)
    scene.ground[gone] = 0
    scene.added[gone] = artefacts.disconnected(scene.artefacts, gone.stop - gone.start, scene.rate_hz)
    scene.cover(40, 180)


def chewing_and_shakes(scene: Scene) -> None:
    scene.add(5, artefacts.chewing(scene.artefacts, round(7 * scene.rate_hz), scene.rate_hz))
    for first_s in (15, 19, 24):
        scene.add(first_s, artefacts.shake(round(scene.rate_hz), scene.rate_hz))


def spindles(scene: Scene) -> None:
    """450 uV in a baseline of about 140 uV, and in proportion in a larger one; they are part of the baseline."""
    size_uv = 450 / 140 * scene.b_uv
    for start_s in np.arange(-58, 172, 10.0):
        at_s, n = start_s + scene.artefacts.uniform(0, 4), round(scene.artefacts.uniform(3, 6) * scene.rate_hz)
        if not -7 < at_s < 0.5:
            scene.add(at_s, size_uv * artefacts.spindle(scene.artefacts, n, scene.rate_hz))
    scene.measure()


def large_baseline_with_discharge(scene: Scene) -> None:
    scene.discharge(steady(0.7, 20.7, 4, 2.5))


def lost_inside(scene: Scene) -> None:
    scene.discharge(steady(0.7, 35.7, 4, 5))
    scene.lose(10, 12)


def lost_onset_window(scene: Scene) -> None:
    scene.lose(0.5, 4.5)


def aliased_residue(scene: Scene) -> None:
    scene.pulse_hz = 60.0
    scene.added += 80 * np.sin(2 * np.pi * 60 * scene.t_s + scene.artefacts.uniform(0, 6))


def leaking_pulses(scene: Scene) -> None:
    after = scene.span(0, 2)
    pulses = artefacts.pulses_uv(scene.t_s[after], scene.pulse_hz, scene.amplifier, scene.rate_hz)
    scene.added[after] += 0.05 * pulses


def not_delivered(scene: Scene) -> None:
    scene.delivered = False


def onset_in_recovery(scene: Scene) -> None:
    scene.discharge(steady(scene.waves.uniform(0.15, 0.45), 20.2, 4, 5))
    scene.amplifier = replace(scene.amplifier, tau_s=scene.artefacts.uniform(0.15, 0.5))


def interictal_clusters(scene: Scene) -> None:
    """Bursts of 2 to 5 spikes and single ones, before and after the train, none of them long or dense enough."""
    at_s = -58.0
    times: list[float] = []
    while at_s < 170:
        n = int(scene.waves.choice([1, 1, 2, 3, 4, 5]))
        times += (at_s + np.arange(n) / scene.waves.uniform(2, 5)).tolist()
        at_s = times[-1] + 3 + scene.waves.exponential(5)
    scene.spikes([time_s for time_s in times if not -1.5 < time_s < 0.5], 4)


def interictal_poisson(scene: Scene) -> None:
    """0.3 spikes a second at random, save where chance would make a run that meets the rule."""
    times = np.cumsum(scene.waves.exponential(1 / 0.3, 100)) - 58
    times = times[(times < 170) & ~((times > -1.5) & (times < 0.5))]
    while (fatal := _meeting_the_rule(times)) is not None:
        times = np.delete(times, fatal)
    scene.spikes(times.tolist(), 4)


def _meeting_the_rule(times: Floats) -> int | None:
    """A spike in the middle of three seconds or more at one a second, with no gap above two."""
    for first in range(times.size):
        for last in range(first + 3, times.size):
            if times[last] - times[last - 1] > 2:
                break
            span = times[last] - times[first]
            if span >= 2.5 and (last - first) / span >= 0.9:
                return (first + last) // 2
    return None


def _decay_from(scene: Scene, since_s: float) -> None:
    scene.free_from_s = since_s
    tau_s = 0.3
    t = scene.t_s - since_s
    scene.added += np.where(t >= 0, 5000 * np.sign(scene.amplifier.exponential_uv) * np.exp(-t.clip(0) / tau_s), 0)


def _move(scene: Scene, first_s: float, last_s: float) -> None:
    scene.add(first_s, artefacts.movement(scene.artefacts, round((last_s - first_s) * scene.rate_hz), scene.rate_hz))
    scene.cover(first_s, last_s)


AD: TrueVerdict = "afterdischarge"
CATALOGUE = (
    Entry("1", "short clean AD", short_clean, AD, 4, 4),
    Entry("2", "just too short", just_too_short, "none", 4, 4),
    Entry("3", "just long enough", just_long_enough, AD, 4, 4),
    Entry("3b", "exactly the minimum", exactly_the_minimum, AD, 4, 4, borderline=True),
    Entry("4", "nothing", nothing, "none"),
    Entry("5", "slow decay", slow_decay, "none"),
    Entry("6", "saturated", saturated, "undetermined"),
    Entry("7", "onset in blind time", onset_in_blind_time, AD, 5, 5),
    Entry("8", "suppression 3 s", suppression_3_s, AD, 5, 5),
    Entry("9", "suppression 12 s", suppression_12_s, AD, 5, 5),
    Entry("10", "chirp", chirp, AD, 3, 8),
    Entry("11", "pause 4 s", pause_4_s, AD, 5, 5),
    Entry("12", "pause 9 s", pause_9_s, AD, 5, 5),
    Entry("13", "secondary AD", secondary, AD, 6, 6),
    Entry("14", "interictal spikes", interictal_spikes, AD, 6, 6),
    Entry("15", "gradual end", gradual_end, AD, 6, 6),
    Entry("16", "abrupt end, flat", abrupt_end, AD, 8, 8),
    Entry("17", "movement", movement_inside, AD, 6, 6),
    Entry("17b", "movement over the end", movement_over_the_end, AD, 6, 6),
    Entry("18", "cable off", cable_off, AD, 6, 6),
    Entry("19", "chewing, WDS", chewing_and_shakes, "none"),
    Entry("20", "spindle baseline", spindles, "none"),
    Entry("21a", "large baseline", nothing, "none", enlarged=3.0),
    Entry("21b", "large baseline with AD", large_baseline_with_discharge, AD, 2.5, 2.5, enlarged=3.0),
    Entry("22a", "lost samples in the AD", lost_inside, AD, 5, 5),
    Entry("22b", "lost samples at the onset", lost_onset_window, "undetermined"),
    Entry("23a", "aliased residue", aliased_residue, "none", rate_hz=250.0),
    Entry("23b", "leaking pulses", leaking_pulses, "none"),
    Entry("24", "not delivered", not_delivered, "void"),
    Entry("recovery", "onset in amplifier recovery", onset_in_recovery, AD, 5, 5),
    Entry("sham-clusters", "interictal clusters, no AD", interictal_clusters, "none", 4, 4),
    Entry("sham-poisson", "interictal spikes at random, no AD", interictal_poisson, "none", 4, 4),
)
