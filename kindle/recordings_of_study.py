"""Which recordings lie in a study folder, as its journal tells."""

from pathlib import Path

from kindle.imported import imported_recordings
from kindle.study import Study


def recordings_of(study: Study) -> list[Path]:
    """Folders of this rig's recordings, of sessions first, then imported; the other rigs' lie with them."""
    recorded = [started.folder for view in study.sessions() if not view.rig_of_journal for started in view.recordings]
    imported = [told.folder for told in imported_recordings(study)]
    return [study.folder / folder for folder in dict.fromkeys([*recorded, *imported])]
