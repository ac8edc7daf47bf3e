"""What the laboratory's database costs a rig: `python -m benchmarks.mirror --host HOST --database NAME [--json]`.

The server is one that is there, with tables that `kindle mirror init` made; the rows are those of a study of this
benchmark's own. Told: the time to append a row with and without the mirror running, in turns, and how quickly a rig
that was away sends and fetches its rows. Times belong to the disk, the network and the server of the day.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median, quantiles
from uuid import uuid4

from kindle.canonical import GENESIS, canonical_json, chain_hash
from kindle.journal import Journal, Row
from kindle.laboratory.config import DatabaseConfig
from kindle.laboratory.mirror import Mirror, sync
from kindle.laboratory.mirroring import mirroring

BEGUN = datetime(2026, 3, 9, 9, 0, tzinfo=UTC)
PAYLOAD = "y" * 1500
"""About as long as the reply to a train."""

PAUSE_S = 0.025
TURNS, ROWS_PER_TURN, ROWS_AWAY = 16, 20, 10_000

Figures = dict[str, float]


def appending(mirror: Mirror) -> Figures:
    took_ms: dict[str, list[float]] = {"alone": [], "mirrored": []}
    for turn in range(TURNS):
        name = "mirrored" if turn % 2 else "alone"
        running: AbstractContextManager[None] = mirroring(mirror) if turn % 2 else nullcontext()
        with running:
            for n in range(ROWS_PER_TURN):
                begun = time.perf_counter()
                mirror.journal.append("benchmark", "asked", {"text": PAYLOAD}, sample=n, utc=BEGUN)
                took_ms[name].append(1e3 * (time.perf_counter() - begun))
                time.sleep(PAUSE_S)
    figures: Figures = {}
    for name, values in took_ms.items():
        figures[f"append, {name}: median ms"] = median(values)
        figures[f"append, {name}: 95th percentile ms"] = quantiles(values, n=20)[-1]
    return figures


def rows_of_an_absence(journal: Journal) -> list[Row]:
    rows: list[Row] = []
    previous, seq = journal.head_hash if journal.last_seq else GENESIS, journal.last_seq
    for n in range(1, ROWS_AWAY + 1):
        utc = BEGUN + timedelta(seconds=n)
        row = Row(seq + n, "benchmark", "asked", n, utc, canonical_json({"text": PAYLOAD, "n": n}), "")
        previous = chain_hash(previous, row.seq, row.session, row.kind, row.sample, row.utc_text, row.payload)
        rows.append(Row(row.seq, row.session, row.kind, row.sample, utc, row.payload, previous))
    return rows


def seconds(act: Callable[[], object]) -> float:
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun


def measure(config: DatabaseConfig, folder: Path) -> Figures:
    study = f"benchmark {uuid4()}"
    mirrors = []
    for rig in ("left", "right"):
        (folder / rig).mkdir()
        journal = Journal.open(folder / rig / "journal.sqlite", create=True)
        own = DatabaseConfig(config.host, config.name, config.user, rig, config.port, config.sslmode)
        mirrors.append(Mirror(folder / rig, study, own, journal))
    left, right = mirrors
    try:
        sync(left)
        figures = appending(left)
        sync(left)
        left.journal.adopt(rows_of_an_absence(left.journal))
        figures["send, rows a second"] = ROWS_AWAY / seconds(lambda: sync(left))
        figures["fetch, rows a second"] = ROWS_AWAY / seconds(lambda: sync(right))
        figures["contact with nothing to exchange, ms"] = 1e3 * seconds(lambda: sync(left))
    finally:
        for mirror in mirrors:
            mirror.journal.close()
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", type=int, default=5432)
    parser.add_argument("--database", required=True, metavar="NAME")
    parser.add_argument("--user", default="kindle_rigs", help="default: kindle_rigs")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    config = DatabaseConfig(given.host, given.database, given.user, "left", given.port)
    with tempfile.TemporaryDirectory(prefix="kindle-mirror-") as folder:
        figures = measure(config, Path(folder))
    if given.json:
        print(json.dumps(figures))
    else:
        for name, figure in figures.items():
            print(f"{name:<45} {figure:10.1f}")


if __name__ == "__main__":
    main()
