"""Tidy tables, one row for each thing that happened, with a codebook; and the same readouts as Prism takes them."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from kindle.csv_cells import as_text
from kindle.export.contents import Chosen, Contents
from kindle.export.rows import Column, Row, Rows, behaviour, discharges, doses, trials
from kindle.export.subject import age_days, sex_of, species_of
from kindle.protocols.catalogue import describe_outcome
from kindle.study import Study

ANIMALS = (
    Column("animal", "", "id of the animal", str),
    Column("species", "", "Latin name", str),
    Column("strain", "", "as written down", str),
    Column("sex", "", "M, F, or U where nobody wrote it down", str),
    Column("born", "", "date of birth, ISO 8601", str),
    Column("note", "", "as written down", str),
    Column("n_sessions", "", "sessions in this export", int),
    Column("n_trains", "", "trains that the animal had in all its life", int),
    Column("last_weight_g", "g", "last weight that was entered", float),
    Column("left", "", "why and when the animal left the study; empty for one that is in it", str),
)
SESSIONS = (
    Column("animal", "", "id of the animal", str),
    Column("session", "", "id of the session", str),
    Column("protocol", "", "such as threshold; import for a recording of another program", str),
    Column("start_utc", "", "start of the first recording, ISO 8601", str),
    Column("age_days", "d", "age of the animal", int),
    Column("weight_g", "g", "weight that was known then", float),
    Column("preset", "", "published protocol or schedule that it followed", str),
    Column("rig", "", "on which it ran", str),
    Column("simulated", "", "1 for a simulated animal: no result says anything about a living one", int),
    Column("n_trains", "", "trains asked for", int),
    Column("n_recordings", "", "recordings in this study folder", int),
    Column("outcome", "", "in words; of an unfinished session empty", str),
    Column("last_journal_row", "", "row of the journal with which it ended", int),
    Column("software", "", "version of kindle-eeg that ran it", str),
)
CODEBOOK = ("table", "column", "unit", "meaning")


def write_tables(study: Study, chosen: Chosen, folder: Path) -> list[Path]:
    """UTF-8, decimal points, ISO dates, an empty cell for what is missing."""
    tables = [
        Rows("animals", "Every animal", ANIMALS, tuple(_animals(chosen.contents))),
        Rows("sessions", "Every session", SESSIONS, tuple(map(_session, chosen.contents))),
        *(_together([of(contents) for contents in chosen.contents]) for of in (trials, discharges, doses, behaviour)),
    ]
    written = [_write(folder / f"{table.name}.csv", _cells(table)) for table in tables]
    book = [(table.name, one.name, one.unit, one.meaning) for table in tables for one in table.columns]
    written.append(_write(folder / "codebook.csv", [CODEBOOK, *book]))
    return written + _write_prism(tables[2], folder / "prism")


def _animals(contents: Sequence[Contents]) -> Iterable[Row]:
    for one in {content.animal.id: content for content in contents}.values():
        animal, ledger = one.animal, one.ledger
        left = ledger.event("excluded", "died", "electrode_lost")
        yield {
            "animal": animal.id,
            "species": species_of(animal),
            "strain": animal.strain,
            "sex": sex_of(animal),
            "born": animal.born,
            "note": animal.note,
            "n_sessions": sum(content.animal.id == animal.id for content in contents),
            "n_trains": len(ledger.trains),
            "last_weight_g": ledger.weights[-1].weight_g if ledger.weights else None,
            "left": "" if left is None else f"{left.kind} {left.day.isoformat()} {left.reason}".strip(),
        }


def _session(contents: Contents) -> Row:
    view = contents.view
    row: Row = {
        "animal": contents.animal.id,
        "session": contents.id,
        "protocol": contents.protocol,
        "start_utc": contents.start_utc.isoformat(),
        "age_days": age_days(contents.animal, contents.start_utc),
        "weight_g": contents.weight_g,
        "n_recordings": len(contents.recordings),
    }
    if view is None:
        return row
    return row | {
        "preset": str(getattr(view.started.plan, "preset", "")),
        "rig": view.started.rig,
        "simulated": int(view.started.simulated),
        "n_trains": len(view.trains),
        "outcome": "" if view.outcome is None else describe_outcome(view.outcome),
        "last_journal_row": view.last_seq,
        "software": view.started.software.get("kindle-eeg", ""),
    }


def _together(tables: Sequence[Rows]) -> Rows:
    first = tables[0]
    return Rows(first.name, first.meaning, first.columns, tuple(row for table in tables for row in table.rows))


def _cells(table: Rows) -> list[Sequence[object]]:
    names = [column.name for column in table.columns]
    return [names, *([row.get(name) for name in names] for row in table.rows)]


def _write_prism(told: Rows, folder: Path) -> list[Path]:
    """One file for each readout of the kindling trains: a row for each stimulation, a column for each animal."""
    folder.mkdir()
    readouts = {"stage": "stage", "discharge_s": "from_first_spike_s", "current_ua": "current_delivered_ua"}
    rows = [row for row in told.rows if row["protocol"] == "kindling" and row["outcome"] == "delivered"]
    animals = list(dict.fromkeys(str(row["animal"]) for row in rows))
    by_animal: Mapping[str, list[Row]] = {
        animal: [row for row in rows if row["animal"] == animal] for animal in animals
    }
    longest = max((len(given) for given in by_animal.values()), default=0)
    written = []
    for name, column in readouts.items():
        lines: list[Sequence[object]] = [["stimulation", *animals]]
        for number in range(longest):
            values = [given[number].get(column) if number < len(given) else None for given in by_animal.values()]
            lines.append([number + 1, *values])
        written.append(_write(folder / f"kindling_{name}.csv", lines))
    return written


def _write(path: Path, lines: Sequence[Sequence[object]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([[as_text(cell) for cell in line] for line in lines])
    return path
