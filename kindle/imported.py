"""Recordings of other programs that were taken into a study, as its journal tells of them."""

from collections.abc import Iterator

from kindle.rows import RecordingImported, decode
from kindle.session_view import ANIMALS
from kindle.study import Study


def imported_recordings(study: Study) -> Iterator[RecordingImported]:
    """In the order in which they were imported here."""
    for row in study.journal.rows(ANIMALS):
        if row.kind == "recording_imported":
            yield decode(row.kind, row.payload, RecordingImported)
