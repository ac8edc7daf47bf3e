"""The whole of a study against what its journal and its indexes say."""

from pathlib import Path

from kindle.errors import RecordingError
from kindle.journal_verification import verify_chain
from kindle.problem import Problem
from kindle.recording import verify
from kindle.recording_extent import extents
from kindle.study import JOURNAL, open_study


def verify_study(folder: Path) -> list[Problem]:
    """Problems of the hash chain, of each recording, and of recordings whose length is not what the journal says."""
    problems = list(verify_chain(folder / JOURNAL))
    if problems:
        return problems
    with open_study(folder) as study:
        for view in study.sessions():
            for started in view.recordings:
                path = study.folder / started.folder
                if not path.is_dir():
                    problems.append(Problem(path, "the journal names this recording, but the folder is not there"))
                    continue
                problems += verify(path)
                closed = view.closed.get(started.folder)
                if closed is not None and (here := _length(path)) not in (None, closed):
                    problems.append(
                        Problem(path, f"holds {here} samples; the journal says that it ended with {closed}")
                    )
    return problems


def _length(recording: Path) -> int | None:
    """Samples that the files hold, or ``None`` where their own problems have been told already."""
    try:
        return sum(extent.n_samples for extent in extents(recording))
    except RecordingError:
        return None
