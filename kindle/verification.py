"""The whole of a study against what its journal and its indexes say."""

from pathlib import Path

from kindle.journal_verification import verify_chain
from kindle.problem import Problem
from kindle.recording import verify
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
    return problems
