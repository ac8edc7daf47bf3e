"""A whole study on simulated rats, day by day as the course has it: threshold, kindling, controls and one dose each.

Each rig keeps a study folder with a journal of its own, as rigs do.
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import msgspec
from msgspec import structs

from drivers.simulated.life import Fate, Life, Population
from drivers.simulated.living_rat import living_rat
from drivers.simulated.pharmacology import VALPROATE, Drug
from kindle.assembly import Instruments
from kindle.benches import on_bench
from kindle.blinding import store_design
from kindle.course import standing
from kindle.course_facts import kindling_trains
from kindle.course_in_force import course_of
from kindle.course_plan import CoursePlan, Due, NeedsPerson, Over, State
from kindle.design import Design
from kindle.durable import write_whole
from kindle.errors import ConfigError
from kindle.keeping import note_event, weigh
from kindle.kindled import FullyKindled, kindledness
from kindle.ledger import CONTROL, Ledger
from kindle.ledger_view import ledger_of
from kindle.prepared import Prepared, prepare_threshold
from kindle.preparing import prepare_drug_test, prepare_kindling
from kindle.protocols.drug_test import DrugTestPlan
from kindle.protocols.threshold import ThresholdOutcome
from kindle.recovery import DoseTested, Findings, ThresholdCheck
from kindle.rig_config import RigConfig, load_rig
from kindle.rows import Animal
from kindle.session import run_session
from kindle.simulated_keeper import Keeper
from kindle.study import Study, create_study, open_study

DOSES_MG_PER_KG = (60.0, 85.0, 120.0, 170.0)
PRETREATMENT_S = 900.0
PLANTED_ED50_MG_PER_KG = VALPROATE.ed50_after(PRETREATMENT_S)
STEP_RATIO = 1.2
GENERALISED_FROM = 4.0

FIRST_DAY = datetime(2030, 1, 7, 9, tzinfo=UTC)
USUAL_DAYS = 35
"""Most rats are through by then; only the progress that is shown is reckoned with it."""

LONGEST_DAYS = 150
"""By then every animal has met the criterion or a cap; a study that goes on longer is a defect."""

WEIGHT_G = 280.0

Tell = Callable[[float, str], None]
"""Hears which share of the work is done, and what is going on."""


def untold(share: float, what: str) -> None:
    """For whoever does not want to be told."""


_STUDY = """\
preset = "hannover_ascending"
schedule = "guide_at_adt"
criterion = "etsp"
[threshold]
start_ua = 12.0
max_ua = 600.0
interval_s = 30.0
baseline_s = 10.0
watch_s = 15.0
onset_window_s = 10.0
lockout_after_ad_s = 60.0
[threshold.train]
shape = "biphasic"
[threshold.criterion]
secondary_window_s = 10.0
[kindling]
trains_per_day = 1
baseline_s = 10.0
watch_s = 15.0
current = { kind = "at_threshold", multiple = 1.5 }
[kindling.train]
shape = "biphasic"
phase_us = 1000.0
pulse_hz = 50.0
train_s = 1.0
[kindled]
cap_trains = 60
[course]
workdays = []
control_gap_days = [1, 3]
[syringe]
graduation_ml = 0.001
capacity_ml = 2.0
"""

_TREATMENT = """\
[[treatments]]
name = "{name}"
[[treatments.injections]]
substance = "sodium valproate"
amount_per_kg = {dose}
basis = "mg_salt"
mg_per_ml = 100.0
route = "i.p."
pretreatment_min = {minutes}
"""


@dataclass
class _Rat:
    id: str
    life: Life
    fates: Iterator[Fate | None]
    over: bool = False


@dataclass
class SimulatedRig:
    """``numbers`` are those of its rats in the population."""

    folder: Path
    population: Population
    numbers: tuple[int, ...]
    drug: Drug = VALPROATE
    tell: Tell = untold
    config: RigConfig = field(default_factory=lambda: _fast(load_rig("simulated")))
    _checks: list[ThresholdCheck] = field(default_factory=list)
    _lost: list[str] = field(default_factory=list)

    def run(self) -> Findings:
        """Day after day until no animal has anything left to do."""
        create_study(self.folder, f'name = "{self.folder.name}"\n' + _STUDY + "".join(_treatments()))
        rats = [_Rat(f"R{n:02}", self.population.rat(n), self.population.fates(n)) for n in self.numbers]
        with open_study(self.folder) as study:
            for rat in rats:
                study.add_animal(Animal(rat.id, strain="simulated"), FIRST_DAY)
            store_design(study, _groups([rat.id for rat in rats], self.population.seed), FIRST_DAY)
            plans = {rat.id: course_of(study, rat.id) for rat in rats}
            for day in range(LONGEST_DAYS):
                for n, rat in enumerate(rats):
                    share = min((day + n / len(rats)) / USUAL_DAYS, 0.99)
                    self.tell(share, f"{self.folder.name}, day {day + 1}, {rat.id}")
                    if not rat.over:
                        self._day(study, rat, plans[rat.id], FIRST_DAY + timedelta(days=day), day)
                if all(rat.over for rat in rats):
                    return self._findings(study, plans)
        raise ConfigError(f"the simulated study in {self.folder} did not end within {LONGEST_DAYS} days")

    def _day(self, study: Study, rat: _Rat, plan: CoursePlan, now: datetime, day: int) -> None:
        fate = next(rat.fates)
        if fate is not None:
            note_event(study, rat.id, fate, "simulated", now)
            self._lost.append(f"{rat.id}: {fate.replace('_', ' ')} on day {day + 1}")
        elif day % 7 == 0:
            weigh(study, rat.id, WEIGHT_G + day, now)
        course = standing(ledger_of(study.journal, rat.id, UTC), plan, now, study.config.animals)
        match course.next:
            case Due(protocol, _, condition):
                self._session(study, rat, protocol, condition, now)
            case NeedsPerson(reason):
                note_event(study, rat.id, "excluded", reason, now)
                self._lost.append(f"{rat.id}: excluded, {reason}")
                rat.over = True
            case Over(reason):
                rat.over = True
                if course.state is State.RESISTANT:
                    self._lost.append(f"{rat.id}: {reason}")
            case _:
                pass

    def _session(self, study: Study, rat: _Rat, protocol: str, condition: str, now: datetime) -> None:
        assert self.config.bench is not None
        prepared = self._prepared(study, rat.id, protocol, condition, now)
        on_rig = living_rat(rat.life, self.config.daq.rate_hz, (now - FIRST_DAY).total_seconds())
        injections = prepared.plan.injections if isinstance(prepared.plan, DrugTestPlan) else ()
        keeper = Keeper(on_rig, (self.drug,), injections)
        source, stimulator = on_bench(self.config, self.config.bench, on_rig)
        instruments = Instruments(source, stimulator, self.config.block)
        try:
            finished = run_session(study, prepared, instruments, keeper, keeper.heard, now=lambda: now)
        finally:
            stimulator.close()
            source.close()
        if isinstance(finished.outcome, ThresholdOutcome):
            planted_ua = rat.life.reactions[-1][0].expected_threshold_ua
            self._checks.append(ThresholdCheck(rat.id, planted_ua, finished.outcome, STEP_RATIO))

    def _prepared(self, study: Study, animal: str, protocol: str, condition: str, now: datetime) -> Prepared:
        match protocol:
            case "threshold":
                return prepare_threshold(study, animal, self.config, today=now.date())
            case "kindling":
                return prepare_kindling(study, animal, self.config, now)
            case _:
                return prepare_drug_test(study, animal, self.config, condition, now)

    def _findings(self, study: Study, plans: dict[str, CoursePlan]) -> Findings:
        found = Findings(tuple(self._checks), lost=tuple(self._lost))
        for animal, plan in plans.items():
            found += _found(ledger_of(study.journal, animal, UTC), plan)
        return found


def _found(ledger: Ledger, plan: CoursePlan) -> Findings:
    """What the journal says of one animal; the simulation is not asked."""
    progress = kindledness(kindling_trains(ledger), plan.kindled)
    trains = (progress.trains,) if isinstance(progress, FullyKindled) else ()
    tests = [train for train in ledger.trains if train.protocol == "drug-test" and train.stage is not None]
    protected = [(train.condition, train.stage is not None and train.stage < GENERALISED_FROM) for train in tests]
    return Findings(
        trains_to_criterion=trains,
        controls=tuple(kept for condition, kept in protected if condition == CONTROL),
        tested=tuple(
            DoseTested(ledger.animal, dose, kept)
            for condition, kept in protected
            for dose in DOSES_MG_PER_KG
            if condition == _name(dose)
        ),
    )


def _groups(animals: list[str], seed: int) -> Design:
    """One dose for each animal, the doses in random order within each block of as many animals."""
    rng, names = Random(f"{seed} {animals[0]}"), [_name(dose) for dose in DOSES_MG_PER_KG]
    orders: dict[str, tuple[str, ...]] = {}
    for begin in range(0, len(animals), len(names)):
        drawn = rng.sample(names, len(names))
        orders.update((animal, (name,)) for animal, name in zip(animals[begin:], drawn, strict=False))
    return Design("blocks", seed, tuple(names), orders)


def _treatments() -> Iterator[str]:
    for dose in DOSES_MG_PER_KG:
        yield _TREATMENT.format(name=_name(dose), dose=dose, minutes=PRETREATMENT_S / 60)


def _name(dose: float) -> str:
    return f"valproate {dose:g}"


def _fast(rig: RigConfig) -> RigConfig:
    """Samples as far apart as the phases of the pulses still allow, in blocks as long as a rig may take."""
    return structs.replace(rig, daq=structs.replace(rig.daq, rate_hz=1000.0, block_s=1.0))


def run_simulated_study(
    folder: Path, *, n_rats: int = 32, per_rig: int = 8, seed: int = 1, tell: Tell = untold
) -> Findings:
    """Rigs one after another, each with a study folder below ``folder``; what was planted lies in population.json."""
    found, population = Findings(), Population(seed)
    folder.mkdir(parents=True, exist_ok=True)
    planted = {"population": asdict(population), "drug": asdict(VALPROATE), "ed50_mg_per_kg": PLANTED_ED50_MG_PER_KG}
    write_whole(folder / "population.json", msgspec.json.format(msgspec.json.encode(planted), indent=2))
    firsts = range(1, n_rats + 1, per_rig)
    for rig, first in enumerate(firsts):
        numbers = tuple(range(first, min(first + per_rig, n_rats + 1)))

        def of_all(share: float, what: str, before: int = rig) -> None:
            tell((before + share) / len(firsts), what)

        found += SimulatedRig(folder / f"rig-{rig + 1}", population, numbers, tell=of_all).run()
    tell(1.0, "")
    return found
