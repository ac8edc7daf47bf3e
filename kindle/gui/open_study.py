"""The study that is open, on the start page: its animals, what is due for them, and the rig of the next session."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog

from kindle.errors import KindleError
from kindle.gui.chosen_rig import ChosenRig, reality
from kindle.gui.preferences import Preferences
from kindle.gui.start_page import StartPage
from kindle.gui.study_tasks import StudyTasks
from kindle.rig_config import RigConfig
from kindle.roster import Roster

ROSTER_S = 60.0
"""The list of animals is read anew this often: what is due changes with the time of day."""


class Teller(Protocol):
    """The window, as far as a study needs it."""

    def tell(self, sentence: str) -> None: ...

    def busy(self, wanted: str) -> bool: ...

    def name_study(self, name: str) -> None: ...

    def check_rig(self, name: str) -> None: ...


class OpenStudy:
    """Reads and writes in the background; ``hand_over`` brings what came of it."""

    def __init__(
        self, start: StartPage, preferences: Preferences, rig: str | None, teller: Teller, now_s: Callable[[], float]
    ) -> None:
        self.folder: Path | None = None
        self._start = start
        self._preferences = preferences
        self._teller = teller
        self._now_s = now_s
        self._rig = ChosenRig(rig)
        self._tasks = StudyTasks(teller.tell)
        self._read_at_s = 0.0
        start.chosen.connect(self.look_ahead)
        start.weighed.connect(self._weigh)

    def hand_over(self) -> None:
        self._tasks.hand_over()

    def close(self) -> None:
        self._tasks.close()

    def choose(self) -> None:
        folder = QFileDialog.getExistingDirectory(self._start, "Open a study folder")
        if folder:
            self.open(Path(folder))

    def open_demo(self) -> None:
        from kindle.demonstration import demo_study

        if self._teller.busy("try the simulated rat"):
            return
        self.choose_rig("simulated")
        try:
            self.open(demo_study(Path("kindle-demo")))
        except KindleError as refused:
            self._teller.tell(str(refused))

    def open(self, folder: Path) -> None:
        if self._teller.busy("open another study"):
            return
        self.folder = folder
        self._rig.beside(folder)
        self.show_rig()
        self.read()

    def read(self) -> None:
        self._read_at_s = self._now_s()
        if self.folder is not None:
            self._tasks.read(self.folder, self._show)

    def read_if_old(self) -> None:
        if self._now_s() - self._read_at_s > ROSTER_S:
            self.read()

    def choose_rig_file(self) -> None:
        name, _ = QFileDialog.getOpenFileName(self._start, "Open a rig file", filter="Rigs (*.toml)")
        if name:
            self.choose_rig(name)

    def choose_rig(self, name: str) -> None:
        if self._teller.busy("choose another rig"):
            return
        self._rig.choose(name)
        self.show_rig()
        self.look_ahead()

    def show_rig(self) -> None:
        self._teller.check_rig(self._rig.name)
        rig = self.rig()
        if rig is not None:
            self._start.set_rig(f"Rig: {rig.name} ({reality(rig)}), at most {rig.limits.max_current_ua:g} µA")

    def rig(self) -> RigConfig | None:
        """As its file has it now; what is wrong with it is said."""
        rig = self._rig.load()
        if isinstance(rig, str):
            self._start.set_rig(rig)
            self._teller.tell(rig)
            return None
        return rig

    def look_ahead(self) -> None:
        """What forbids the order on the start page, or the worst that it may deliver."""
        order, rig = self._start.order, self.rig()
        if self.folder is not None and order is not None and rig is not None:
            self._tasks.look_ahead(self.folder, order, rig, self._start.show_outlook)

    def write_report(self, session: str) -> None:
        def written(page: Path) -> None:
            self._teller.tell(f"report: {page}")
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(page.resolve())))

        if self.folder is not None:
            self._tasks.report(self.folder, session, written)

    def _weigh(self, animal: str, weight_g: float) -> None:
        def weighed(_: None) -> None:
            self._teller.tell(f"{animal}: {weight_g:g} g entered.")
            self.read()

        if self.folder is not None:
            self._tasks.weigh(self.folder, animal, weight_g, weighed)

    def _show(self, roster: Roster) -> None:
        self._preferences.opened(roster.folder)
        self._teller.name_study(roster.name)
        if not roster.cards:
            self._teller.tell(
                f"{roster.folder} has no animals yet; add one with: kindle animal add --study {roster.folder} ID"
            )
        self._start.show_roster(roster)
