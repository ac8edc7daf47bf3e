"""Whether several study folders are one study, and the one ledger of an animal that stands in several of them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from kindle.errors import ConfigError
from kindle.ledger import Ledger, together
from kindle.report.study_conditions import named
from kindle.report.study_sources import Source
from kindle.report.study_words import rule_in_words
from kindle.report.wording import utc
from kindle.rows import Animal
from kindle.scale import load_scale
from kindle.treatments import Treatment


def check_one_study(sources: Sequence[Source]) -> None:
    """Raises ``ConfigError``, in one sentence, for the first thing that two folders tell differently."""
    first = sources[0]
    for other in sources[1:]:
        _same(first, other, "scores on", lambda source: load_scale(source.config.scale).name)
        _same(first, other, "takes as fully kindled", lambda source: rule_in_words(source.course.kindled))
    for n, source in enumerate(sources):
        for other in sources[n + 1 :]:
            _check_sessions(source, other)
            _check_treatments(source, other)
            _check_animals(source, other)


def merged(animal: str, sources: Sequence[Source]) -> Ledger:
    """Everything that the animal has had, on whichever rig, in the order of time."""
    parts = [(source, source.ledgers[animal]) for source in sources if animal in source.ledgers]
    return together([named(ledger, source, sources) for source, ledger in parts])


def shared_animals(sources: Sequence[Source]) -> dict[str, tuple[str, ...]]:
    """Animals that stand in more than one folder, with the names of the folders."""
    ids = dict.fromkeys(id for source in sources for id in source.animals)
    found = {id: tuple(source.name for source in sources if id in source.animals) for id in ids}
    return {id: names for id, names in found.items() if len(names) > 1}


def _same(a: Source, b: Source, does: str, told: Callable[[Source], str]) -> None:
    if told(a) != told(b):
        raise ConfigError(
            f"{a.name} {does} {told(a)} and {b.name} {does} {told(b)}: one report needs one of them; write a report "
            "of each folder, or correct the study.toml that is wrong"
        )


def _check_sessions(a: Source, b: Source) -> None:
    both = {view.id for view in a.sessions} & {view.id for view in b.sessions}
    if both:
        raise ConfigError(
            f"session {min(both)} stands in {a.name} and in {b.name}: one of the folders is a copy, to be left out, or "
            "two animals have one name"
        )


def _check_treatments(a: Source, b: Source) -> None:
    of_b = {treatment.name: treatment for treatment in b.config.treatments}
    for treatment in a.config.treatments:
        other = of_b.get(treatment.name)
        if other is not None and _doses(treatment) != _doses(other):
            raise ConfigError(
                f"treatment {treatment.name!r} is {'; '.join(_doses(treatment))} in {a.name} and "
                f"{'; '.join(_doses(other))} in {b.name}: one report needs one meaning of the name; write a report of "
                "each folder, or correct the study.toml that is wrong"
            )


def _doses(treatment: Treatment) -> tuple[str, ...]:
    """What matters to the animal: batch and concentration do not."""
    told = [
        f"{one.substance} {one.amount_per_kg:g} per kg ({one.basis}) {one.route}, {one.pretreatment_min:g} min before"
        for one in treatment.injections
    ]
    if treatment.vehicle is not None:
        vehicle = treatment.vehicle
        told.append(
            f"vehicle {vehicle.substance} {vehicle.ml_per_kg:g} ml/kg {vehicle.route}, "
            f"{vehicle.pretreatment_min:g} min before"
        )
    return tuple(told) or ("nothing",)


def _check_animals(a: Source, b: Source) -> None:
    of_b = {id.casefold(): animal for id, animal in b.animals.items()}
    for id, animal in a.animals.items():
        other = of_b.get(id.casefold())
        if other is None:
            continue
        if other.id != id:
            raise ConfigError(f"{a.name} has an animal {id} and {b.name} an animal {other.id}: give each its own name")
        if _told(animal) != _told(other):
            raise ConfigError(
                f"{id} is {_told(animal)} in {a.name} and {_told(other)} in {b.name}: if they are one animal, correct "
                "the row that is wrong with kindle amend; two animals need two names, and a report each until then"
            )
        for one in _stretches(a, id):
            for two in _stretches(b, id):
                if one.begin <= two.end and two.begin <= one.end:
                    raise ConfigError(
                        f"{id} was on two rigs at the same time ({utc(max(one.begin, two.begin))}), in session "
                        f"{one.session} of {a.name} and {two.session} of {b.name}: these are two animals, or a clock "
                        "was wrong; write a report of each folder"
                    )


def _told(animal: Animal) -> str:
    return ", ".join(filter(None, (animal.species, animal.strain, animal.sex)))


@dataclass(frozen=True, slots=True)
class _Stretch:
    session: str
    begin: datetime
    end: datetime


def _stretches(source: Source, animal: str) -> Iterator[_Stretch]:
    for view in source.sessions:
        if view.started.animal == animal:
            yield _Stretch(view.id, view.started_utc, view.last_utc or view.started_utc)
