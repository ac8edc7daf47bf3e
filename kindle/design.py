"""Who gets what and when: Latin squares, blocks, groups, and codes that hide it. The same seed, the same design."""

import hashlib
import random
from collections.abc import Sequence
from typing import Literal

import msgspec

from kindle.errors import ConfigError
from kindle.substances import Basis

CODES = "ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Letters that are not mistaken for a number on a bottle."""


class Design(msgspec.Struct, frozen=True):
    """``orders`` holds for each animal the treatments of its test days, in their order."""

    kind: Literal["latin_square", "blocks", "groups"]
    seed: int
    treatments: tuple[str, ...]
    orders: dict[str, tuple[str, ...]]


class Bottle(msgspec.Struct, frozen=True):
    """A substance of a treatment as it was ordered, and the solution that it is in."""

    substance: str
    amount_per_kg: float
    basis: Basis
    mg_per_ml: float
    vehicle: str = ""
    batch: str = ""


class Key(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the codes hide. It is kept by somebody who neither injects nor scores; the journal holds its digest."""

    codes: dict[str, str]
    """Treatment of each code."""
    seed: int
    """Of the design."""
    salt: str
    """Makes the digest tell nothing to who tries all ways of giving codes to treatments."""
    contents: dict[str, tuple[Bottle, ...]] = {}
    """Of each treatment, as it was when the codes were sealed; none in the bottle of a vehicle."""

    @property
    def sha256(self) -> str:
        return hashlib.sha256(msgspec.json.encode(self, order="deterministic")).hexdigest()


def latin_square(animals: Sequence[str], treatments: Sequence[str], seed: int) -> Design:
    """Each animal gets every treatment once, each treatment stands equally often on every day (Williams 1949).

    In a whole square every treatment also follows each other one equally often: what is carried over is balanced.
    Raises ``ConfigError`` unless the animals fill whole squares.
    """
    rows = _williams(len(treatments))
    _check(animals, treatments)
    if len(animals) % len(rows):
        raise ConfigError(
            f"{len(treatments)} treatments need a multiple of {len(rows)} animals for a balanced Latin square; there "
            f"are {len(animals)}: take randomised blocks, or other numbers"
        )
    rng = random.Random(seed)
    orders: dict[str, tuple[str, ...]] = {}
    shuffled = list(animals)
    rng.shuffle(shuffled)
    for begin in range(0, len(shuffled), len(rows)):
        named = list(treatments)
        rng.shuffle(named)
        for animal, row in zip(shuffled[begin : begin + len(rows)], rng.sample(rows, len(rows)), strict=True):
            orders[animal] = tuple(named[place] for place in row)
    return Design("latin_square", seed, tuple(treatments), {animal: orders[animal] for animal in animals})


def blocks(animals: Sequence[str], treatments: Sequence[str], seed: int, *, repeats: int = 1) -> Design:
    """Within each animal, ``repeats`` blocks of all treatments, each block in an order of its own."""
    _check(animals, treatments)
    if repeats < 1:
        raise ConfigError(f"a design has at least one block, not {repeats}")
    rng = random.Random(seed)
    orders = {
        animal: tuple(one for _ in range(repeats) for one in rng.sample(list(treatments), len(treatments)))
        for animal in animals
    }
    return Design("blocks", seed, tuple(treatments), orders)


def groups(animals: Sequence[str], treatments: Sequence[str], seed: int) -> Design:
    """One treatment for each animal: within each block of as many animals as treatments every one stands once."""
    _check(animals, treatments)
    rng = random.Random(seed)
    shuffled = rng.sample(list(animals), len(animals))
    given: dict[str, str] = {}
    for begin in range(0, len(shuffled), len(treatments)):
        drawn = rng.sample(list(treatments), len(treatments))
        given.update(zip(shuffled[begin : begin + len(treatments)], drawn, strict=False))
    return Design("groups", seed, tuple(treatments), {animal: (given[animal],) for animal in animals})


def sealed(treatments: Sequence[str], seed: int, salt: str) -> Key:
    """A code for every treatment, vehicle included. ``salt`` comes from a source of chance, not from the seed."""
    if len(treatments) > len(CODES):
        raise ConfigError(f"there are {len(CODES)} codes; {len(treatments)} treatments are too many")
    if len(salt) < 16:
        raise ConfigError("the salt of a key has at least 16 characters, by chance")
    shuffled = random.Random(seed).sample(list(treatments), len(treatments))
    return Key(dict(zip(CODES, shuffled, strict=False)), seed, salt)


def coded(design: Design, key: Key) -> Design:
    """The same design as everybody may see it. Its own seed would give it away, and is left out."""
    code_of = {treatment: code for code, treatment in key.codes.items()}
    return Design(
        design.kind,
        0,
        tuple(sorted(key.codes)),
        {animal: tuple(code_of[one] for one in order) for animal, order in design.orders.items()},
    )


def opened(key: Key, sha256: str) -> dict[str, str]:
    """The treatments of the codes. Raises ``ConfigError`` for a key that is not the one that was sealed."""
    if key.sha256 != sha256:
        raise ConfigError("this is not the key that was sealed for the study, or it was changed since")
    return key.codes


class Responder(msgspec.Struct, frozen=True):
    """How an animal answered to the same dose over repeated tests (Löscher 2000)."""

    kind: Literal["responder", "non-responder", "variable"]
    protected: int
    tests: int


def responder(protected: Sequence[bool], *, least_tests: int = 3) -> Responder | None:
    """``None`` while there are fewer than ``least_tests`` tests: one answer makes no responder."""
    if len(protected) < least_tests:
        return None
    n = sum(protected)
    if n == len(protected):
        return Responder("responder", n, len(protected))
    return Responder("variable" if n else "non-responder", n, len(protected))


def _williams(n: int) -> list[tuple[int, ...]]:
    """Balanced for the treatment before: n rows for an even n, 2 n for an odd one."""
    if n < 2:
        raise ConfigError(f"a Latin square needs two treatments or more, vehicle included; there are {n}")
    first = [0]
    for step in range(1, n):
        first.append((first[-1] + step) % n if step % 2 else (first[-1] - step) % n)
    square = [tuple((place + row) % n for place in first) for row in range(n)]
    return square if n % 2 == 0 else square + [row[::-1] for row in square]


def _check(animals: Sequence[str], treatments: Sequence[str]) -> None:
    for what, names in (("animal", animals), ("treatment", treatments)):
        if len(set(names)) != len(names):
            raise ConfigError(f"one {what} stands twice in the design")
        if not names:
            raise ConfigError(f"a design needs at least one {what}")
