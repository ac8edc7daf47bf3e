"""What an NWB file holds besides signals: trials, discharges, doses, behaviour, markers, gaps, settings."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import msgspec

from kindle.export.contents import Contents
from kindle.export.events import events_of
from kindle.export.rows import Column, Row, Rows, behaviour, discharges, doses, trials

_ABSENT: dict[type, object] = {str: "", int: -1, float: float("nan")}
_NOT_HERE = ("animal", "session", "start_s", "stop_s")
"""The first two are the file's own; the times have columns that NWB names."""


def add_tables(file: Any, contents: Contents) -> None:
    from pynwb.epoch import TimeIntervals

    point_s = 1 / contents.recordings[0].recording.rate_hz
    told = trials(contents)
    if timed := _timed(told):
        for column in _own(told.columns, timed):
            file.add_trial_column(column.name, _described(column))
        for row in timed:
            file.add_trial(**_interval(row, _own(told.columns, timed), point_s))
    for rows in (discharges(contents), doses(contents), behaviour(contents)):
        if timed := _timed(rows):
            table = TimeIntervals(name=rows.name, description=rows.meaning)
            for column in _own(rows.columns, timed):
                table.add_column(column.name, _described(column))
            for row in timed:
                table.add_interval(**_interval(row, _own(rows.columns, timed), point_s))
            file.add_time_intervals(table)
    _add_markers(file, contents)
    _add_gaps(file, contents)
    _add_settings(file, contents)


def _timed(rows: Rows) -> list[Row]:
    """Rows that have a time: one of a void train that was never seen has none, and stands in the tables."""
    return sorted(
        (row for row in rows.rows if row.get("start_s") is not None), key=lambda row: float(row["start_s"] or 0)
    )


def _own(columns: Sequence[Column], rows: Sequence[Row]) -> list[Column]:
    """Columns in which something stands."""
    return [
        column
        for column in columns
        if column.name not in _NOT_HERE and any(row.get(column.name) not in (None, "") for row in rows)
    ]


def _described(column: Column) -> str:
    return f"{column.meaning} ({column.unit})" if column.unit else column.meaning


def _interval(row: Row, columns: Sequence[Column], point_s: float) -> dict[str, object]:
    """Without a value stands NaN, -1 for a count, or an empty word; what has no length is given ``point_s``."""
    start_s = float(row["start_s"] or 0)
    cells: dict[str, object] = {"start_time": start_s, "stop_time": row.get("stop_s") or round(start_s + point_s, 9)}
    for column in columns:
        value = row.get(column.name)
        cells[column.name] = _ABSENT[column.kind] if value is None else column.kind(value)
    return cells


def _add_markers(file: Any, contents: Contents) -> None:
    from pynwb.epoch import TimeIntervals

    marked = [
        (
            contents.offset_s(stored) + event.sample / stored.recording.rate_hz,
            event.n_samples / stored.recording.rate_hz,
            event.text,
        )
        for stored in contents.recordings
        for event in events_of(contents, stored)
    ]
    if not marked:
        return
    table = TimeIntervals(name="markers", description="Markers that stand beside the signal, as written")
    table.add_column("text", "type and description of the marker")
    for onset_s, duration_s, text in sorted(marked):
        table.add_interval(start_time=round(onset_s, 9), stop_time=round(onset_s + duration_s, 9), text=text)
    file.add_time_intervals(table)


def _add_gaps(file: Any, contents: Contents) -> None:
    for stored in contents.recordings:
        rate_hz = stored.recording.rate_hz
        spans = [(start, start + segment.n_samples) for _, start, segment in stored.segments]
        for (_, lost), (back, _) in pairwise(spans):
            offset_s = contents.offset_s(stored)
            file.add_invalid_time_interval(
                start_time=round(offset_s + lost / rate_hz, 9), stop_time=round(offset_s + back / rate_hz, 9)
            )


def _add_settings(file: Any, contents: Contents) -> None:
    """Every parameter in force with its source, and the versions of the software that ran the session."""
    from hdmf.common import DynamicTable

    if contents.view is None:
        return
    started = contents.view.started
    settings = [(one.name, one.value, f"{one.status}: {one.source}") for one in started.parameters]
    settings += [
        (f"limits.{name}", str(value), "safety limit") for name, value in msgspec.to_builtins(started.limits).items()
    ]
    settings += [(f"software.{name}", version, "software of the session") for name, version in started.software.items()]
    settings += [("rig", started.rig, "rig file"), ("simulated", str(started.simulated).lower(), "rig file")]
    table = DynamicTable(name="settings", description="What was in force when the session began")
    for column, meaning in (("setting", "name"), ("value", "value, as text"), ("source", "where it comes from")):
        table.add_column(column, meaning)
    for name, value, source in settings:
        table.add_row(setting=name, value=value, source=source)
    file.add_analysis(table)
