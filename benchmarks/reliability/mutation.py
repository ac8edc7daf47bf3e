"""Inputs that go wrong in every way a seed can: bytes, numbers, lines and words changed."""

import re
from collections.abc import Sequence
from random import Random

NASTY = (
    *(
        b"",
        b"\0",
        b"\xff",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b"\r",
        b"\n\n",
        b"\x1b[2J",
        b"\xe2\x80\xae",
        b"\xc2\xb2",
        b"%s%n",
    ),
    *(b"-1", b"0", b"-0.0", b"1e999", b"-1e999", b"nan", b"inf", b"-inf", b"1e-320", b"1e308", b"9" * 19, b"9" * 400),
    *(
        b"9" * 5000,
        b"2147483648",
        b"4294967296",
        b"18446744073709551616",
        b"0x10",
        b"1_000",
        b"\xd9\xa1",
        b"1,5",
        b"1.5",
    ),
    *(
        b"true",
        b"null",
        b"[]",
        b"{}",
        b'""',
        b"'",
        b'"',
        b"[" * 3000,
        b"{" * 500,
        b'{"a":' * 2000,
        b"\\u0000",
        b"\\ud800",
    ),
    *(
        b"../../x",
        b"/etc/passwd",
        b"/dev/zero",
        b"..\\..\\x",
        b"C:\\x",
        b"file:///etc/passwd",
        b"CON",
        b".",
        b"..",
        b"~",
    ),
    *(b"__import__('os').system('id')", b"!!python/object", b"<script>alert(1)</script>", b"'; DROP TABLE rows;--"),
    *(b"=", b";", b",", b"\t", b"$(id)", b"${HOME}", b"%(x)s", b"a" * 70_000, b"0001-01-01", b"9999-12-31T23:59:59Z"),
)
_NUMBER = re.compile(rb"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_WORD = re.compile(rb"[A-Za-z_]{2,}")
_QUOTED = re.compile(rb'"[^"\n]*"')


def mutated(random: Random, seeds: Sequence[bytes], well_formed: float = 0.0) -> bytes:
    """One of ``seeds``, changed in one to six places; in a share of them only what is said, not how it is written."""
    changed = random.choice(seeds)
    ways, often = ((_borrowed, _lines), (5, 1)) if random.random() < well_formed else (_WAYS, _OFTEN)
    for _ in range(1 + min(5, int(random.expovariate(0.9)))):
        changed = random.choices(ways, often)[0](random, changed, seeds)
    return changed[:200_000]


def _byte(random: Random, old: bytes, seeds: Sequence[bytes]) -> bytes:
    place = random.randrange(len(old) + 1)
    return old[:place] + random.randbytes(1) + old[place + 1 :]


def _bit(random: Random, old: bytes, seeds: Sequence[bytes]) -> bytes:
    place = random.randrange(max(1, len(old)))
    return old[:place] + bytes(byte ^ 1 << random.randrange(8) for byte in old[place : place + 1]) + old[place + 1 :]


def _insert(random: Random, old: bytes, seeds: Sequence[bytes]) -> bytes:
    place = random.randrange(len(old) + 1)
    return old[:place] + random.choice(NASTY) + old[place:]


def _overwrite(random: Random, old: bytes, seeds: Sequence[bytes]) -> bytes:
    """Of the same length as before: fields of fixed width stay in their places."""
    place, new = random.randrange(len(old) + 1), random.choice(NASTY)[:8]
    return old[:place] + new + old[place + len(new) :]


def _cut(random: Random, old: bytes, seeds: Sequence[bytes]) -> bytes:
    return old[: random.randrange(len(old) + 1)]


def _without(random: Random, old: bytes, seeds: Sequence[bytes]) -> bytes:
    place = random.randrange(len(old) + 1)
    return old[:place] + old[place + random.randrange(1, 40) :]


def _spliced(random: Random, old: bytes, seeds: Sequence[bytes]) -> bytes:
    other = random.choice(seeds)
    return old[: random.randrange(len(old) + 1)] + other[random.randrange(len(other) + 1) :]


def _lines(random: Random, old: bytes, seeds: Sequence[bytes]) -> bytes:
    lines = old.splitlines(keepends=True) or [b""]
    place, other = random.randrange(len(lines)), random.choice(lines)
    what = random.randrange(3)
    lines[place : place + 1] = [[], [lines[place], other], [lines[place]] * random.randrange(1, 9)][what]
    return b"".join(lines)


def _replaced(pattern: re.Pattern[bytes], random: Random, old: bytes, new: bytes) -> bytes:
    places = [found.span() for found in pattern.finditer(old)]
    if not places:
        return old + new
    begin, end = random.choice(places)
    return old[:begin] + new + old[end:]


def _number(random: Random, old: bytes, seeds: Sequence[bytes]) -> bytes:
    return _replaced(_NUMBER, random, old, random.choice(NASTY))


def _word(random: Random, old: bytes, seeds: Sequence[bytes]) -> bytes:
    return _replaced(_WORD, random, old, random.choice([*NASTY, *_WORD.findall(old)[:50]]))


def _quoted(random: Random, old: bytes, seeds: Sequence[bytes]) -> bytes:
    new = random.choice(NASTY)
    return _replaced(_QUOTED, random, old, random.choice([new, b'"' + new + b'"']))


def _borrowed(random: Random, old: bytes, seeds: Sequence[bytes]) -> bytes:
    """A number or a text that stands elsewhere in the same place: what is wrong is only the sense."""
    pattern = random.choice((_NUMBER, _QUOTED))
    return _replaced(pattern, random, old, random.choice(pattern.findall(old)[:500] or [b""]))


_WAYS = (_byte, _bit, _insert, _overwrite, _cut, _without, _spliced, _lines, _number, _word, _quoted, _borrowed)
_OFTEN = (2, 2, 3, 3, 1, 1, 1, 2, 5, 3, 4, 4)
