"""What the window reads from a study and writes into it, in the background: a long journal never stops the screen."""

from collections.abc import Callable
from pathlib import Path

from kindle.gui.background import Background
from kindle.keeping import weigh
from kindle.ordering import Order
from kindle.rig_config import RigConfig
from kindle.roster import Roster, read_roster
from kindle.session import utc_now
from kindle.start_card import Outlook, outlook
from kindle.study import open_study

Told = Callable[[str], None]


class StudyTasks:
    """Each answer comes back in the thread of the window, by ``hand_over``; a failure as a sentence."""

    def __init__(self, failed: Told) -> None:
        self._background = Background()
        self._failed = failed

    def hand_over(self) -> None:
        self._background.hand_over()

    def close(self) -> None:
        self._background.close()

    def read(self, folder: Path, then: Callable[[Roster], None]) -> None:
        now = utc_now().astimezone()
        self._background.ask("roster", lambda: read_roster(folder, now), then, self._failed)

    def look_ahead(self, folder: Path, order: Order, rig: RigConfig, then: Callable[[Outlook], None]) -> None:
        """What forbids the order, or the worst that it may deliver."""
        now = utc_now().astimezone()

        def task() -> Outlook:
            with open_study(folder) as study:
                return outlook(study, order, rig, now)

        self._background.ask("outlook", task, then, lambda sentence: then(Outlook(sentence, ())))

    def weigh(self, folder: Path, animal: str, weight_g: float, then: Callable[[None], None]) -> None:
        def task() -> None:
            with open_study(folder) as study:
                weigh(study, animal, weight_g, utc_now())

        self._background.ask("weight", task, then, self._failed)

    def report(self, folder: Path, session: str, then: Callable[[Path], None]) -> None:
        def task() -> Path:
            # Imported here: figures take a second to load, and most mornings need none.
            from kindle.report import write_session_report

            with open_study(folder) as study:
                return write_session_report(study, session)

        self._background.ask("report", task, then, self._failed)
