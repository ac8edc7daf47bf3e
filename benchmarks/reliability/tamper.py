"""Tamper: bytes of every kind of file of a study changed, one at a time, and looked for with `kindle verify`.

``signal`` and the journal must be found wherever the byte lies; a finding has to name the file, and its samples or row.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from time import monotonic

from benchmarks.reliability.result import Result
from benchmarks.reliability.scratch import scratch
from benchmarks.reliability.specimen import kindle, specimen
from kindle.problem import Problem
from kindle.verification import verify_study

VOUCHED = ("signal.eeg", "signal.vhdr", "signal.vmrk", "index.bin", "journal.sqlite")
"""What `kindle verify` answers for, byte for byte; study.toml is the laboratory's to edit."""
_FIELDS = ("seq", "session", "kind", "sample", "utc", "payload", "hash")
LEAST = 6
"""Bytes of each kind of file, however short the time."""


@dataclass
class Found:
    """``missed`` are offsets whose change nobody noticed, ``astray`` those found without telling where."""

    n: int = 0
    missed: list[str] = field(default_factory=list)
    astray: list[str] = field(default_factory=list)


def run(quick: bool, seconds: float, seed: int = 1) -> Result:
    random = Random(f"{seed} tamper")
    with scratch() as made:
        study = specimen(Path(made))
        problems = [str(problem) for problem in verify_study(study)]
        kinds = {name: _bytes_changed(study, name, random, 0.8 * seconds / len(VOUCHED)) for name in VOUCHED}
        kinds["journal fields"] = _fields_changed(study, random, 0.1 * seconds)
        kinds["journal end"], beside = _end_cut_off(study, random, 0.1 * seconds)
        told = _told_by_the_command(study)
    lines = [f"{name:15} {one.n:>6} changes, {len(one.missed)} missed, {len(one.astray)} found without telling where"
             for name, one in kinds.items()]  # fmt: skip
    wrong = [f"an untouched study is not whole: {problem}" for problem in problems] + told
    wrong += [what for one in kinds.values() for what in (*one.missed[:5], *one.astray[:5])]
    n = sum(one.n for one in kinds.values())
    return Result((f"{n} changes, seed {seed}: {len(wrong)} findings", *lines, beside, *wrong), not wrong)


def _bytes_changed(study: Path, name: str, random: Random, seconds: float) -> Found:
    path = study / name if name == "journal.sqlite" else next(study.glob(f"recordings/*/*/{name}"))
    original, found, end_s = path.read_bytes(), Found(), monotonic() + seconds
    used = _bytes_in_use(path) if name == "journal.sqlite" else range(len(original))
    while monotonic() < end_s or found.n < LEAST:
        place, flip = random.choice(used), random.randrange(1, 256)
        changed = bytearray(original)
        changed[place] ^= flip
        path.write_bytes(changed)
        _judge(found, verify_study(study), path, f"{name}: byte {place} changed by {flip:#04x}")
    path.write_bytes(original)
    return found


def _bytes_in_use(journal: Path) -> list[int]:
    """Offsets of the stored texts: what SQLite keeps free, or for itself, says nothing of the experiment."""
    content = journal.read_bytes()
    with closing(sqlite3.connect(journal)) as connection:
        rows = connection.execute("SELECT session, kind, utc, payload, hash FROM rows").fetchall()
    places = set[int]()
    for text in {value.encode() for row in rows for value in row}:
        begin = content.find(text)
        if begin >= 0:
            places.update(range(begin, begin + len(text)))
    return sorted(places)


def _fields_changed(study: Path, random: Random, seconds: float) -> Found:
    """Of somebody who knows SQLite: the triggers are taken away, a row is altered or removed, the triggers put back."""
    path, found, end_s = study / "journal.sqlite", Found(), monotonic() + seconds
    original = path.read_bytes()
    while monotonic() < end_s or found.n < LEAST:
        what = _alter(path, random)
        problems = verify_study(study)
        _judge(found, problems, path, what)
        if problems and not any(problem.seq is not None for problem in problems):
            found.astray.append(f"{what}: no row is named, but {problems[0]}")
        path.write_bytes(original)
    return found


def _end_cut_off(study: Path, random: Random, seconds: float) -> tuple[Found, str]:
    """Any number of rows cut off the journal's end, which leaves a whole chain, and what is found without a report.

    The session's report names the hash of its last row, so that with it every cut must be found.
    """
    path, found, n_beside = study / "journal.sqlite", Found(), 0
    original = path.read_bytes()
    pages, away = study / "reports", study.with_name("reports")
    with closing(sqlite3.connect(path)) as connection:
        (last,) = connection.execute("SELECT max(seq) FROM rows").fetchone()
    end_s = monotonic() + seconds
    for kept in random.sample(range(1, last), last - 1):
        if found.n >= LEAST and monotonic() > end_s:
            break
        _cut(path, kept)
        _judge(found, verify_study(study), path, f"journal: rows after {kept} cut off")
        pages.rename(away)
        n_beside += bool(verify_study(study))
        away.rename(pages)
        path.write_bytes(original)
    return found, f"without a report, {n_beside} of {found.n} cuts are found by recordings, trains and markers"


def _cut(path: Path, kept: int) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection, _untriggered(connection):
        connection.execute("DELETE FROM rows WHERE seq > ?", (kept,))


@contextmanager
def _untriggered(connection: sqlite3.Connection) -> Iterator[None]:
    """The triggers are taken away, and put back."""
    triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for name, _ in triggers:
        connection.execute(f'DROP TRIGGER "{name}"')
    yield
    for _, text in triggers:
        connection.execute(text)


def _alter(path: Path, random: Random) -> str:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection, _untriggered(connection):
        last = connection.execute("SELECT max(seq) FROM rows").fetchone()[0]
        seq, field_ = random.randrange(1, last), random.choice((*_FIELDS, "row"))
        if field_ == "row":
            connection.execute("DELETE FROM rows WHERE seq = ?", (seq,))
        elif field_ == "seq":
            connection.execute("UPDATE rows SET seq = ? WHERE seq = ?", (last + 7, seq))
        elif field_ == "sample":
            connection.execute("UPDATE rows SET sample = coalesce(sample, 0) + 1 WHERE seq = ?", (seq,))
        else:
            connection.execute(f"UPDATE rows SET {field_} = {field_} || ' ' WHERE seq = ?", (seq,))
    return f"journal: {field_} of row {seq} altered"


def _judge(found: Found, problems: list[Problem], path: Path, what: str) -> None:
    found.n += 1
    if not problems:
        found.missed.append(f"{what}: kindle verify finds nothing")
    elif not any(path.stem in problem.path.stem or path.parent == problem.path for problem in problems):
        found.astray.append(f"{what}: told of {problems[0].path} instead")


def _told_by_the_command(study: Path) -> list[str]:
    """One changed sample, as a person sees it: exit code 1, and a line with the file and the samples."""
    signal = next(study.glob("recordings/*/*/signal.eeg"))
    changed = bytearray(signal.read_bytes())
    changed[len(changed) // 2] ^= 1
    signal.write_bytes(changed)
    ran = kindle("verify", str(study))
    said = ran.stdout + ran.stderr
    if ran.returncode == 1 and "signal.eeg" in said and "samples" in said:
        return []
    return [f"kindle verify of a changed sample ends with {ran.returncode} and says: {said.strip()[:300]}"]
