"""The menus of the main window: everything in them has a key or can be reached by Alt."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMainWindow, QMenu

from kindle.gui.preferences import Preferences
from kindle.rig_config import BUILT_IN

SPEEDS = (1.0, 4.0, 16.0, 64.0)


class StudyChoices(Protocol):
    """Which study, and which rig."""

    def choose(self) -> None: ...

    def open(self, folder: Path) -> None: ...

    def open_demo(self) -> None: ...

    def choose_rig(self, name: str) -> None: ...

    def choose_rig_file(self) -> None: ...


class Choices(Protocol):
    """What else can be chosen in the menus."""

    def review(self) -> None: ...

    def set_speed(self, speed: float) -> None: ...

    def switched(self, name: str, on: bool) -> None: ...

    def practise(self) -> None: ...


class Menus:
    def __init__(
        self, window: QMainWindow, choices: Choices, study: StudyChoices, preferences: Preferences, speed: float
    ) -> None:
        self._window = window
        self._choices = choices
        self._study = study
        self._preferences = preferences
        self._build_study_menu()
        self._build_rig_menu(speed)
        view = window.menuBar().addMenu("&View")
        self._switch(view, "&Dark", "dark", "Ctrl+D")
        self._switch(view, "&Large type", "large", "Ctrl+L")
        self._switch(view, "&Hide the EEG's result until the behaviour is scored", "hides_result", "Ctrl+H")
        self._switch(view, "&Sound when something waits for you", "sound", "")
        training = window.menuBar().addMenu("&Training")
        self._entry(training, "Read &traces whose truth is known", choices.practise, "Ctrl+T")

    def check_rig(self, name: str) -> None:
        for action in self._rigs.actions():
            action.setChecked(action.data() == name)

    def _build_study_menu(self) -> None:
        menu = self._window.menuBar().addMenu("&Study")
        self._entry(menu, "&Open a study folder", self._study.choose, "Ctrl+O")
        self._recent = menu.addMenu("Open a &recent one")
        self._recent.aboutToShow.connect(self._fill_recent)
        self._entry(menu, "Try it with a &simulated rat", self._study.open_demo)
        self._entry(menu, "Re&view its recordings", self._choices.review, "Ctrl+R")
        menu.addSeparator()
        self._entry(menu, "&Close the window", self._window.close, "Ctrl+Q")

    def _build_rig_menu(self, chosen: float) -> None:
        menu = self._window.menuBar().addMenu("&Rig")
        self._rigs = QActionGroup(self._window)
        for name in BUILT_IN:
            action = self._entry(menu, f"&{name.capitalize()} rat", self._rig_chooser(name))
            action.setCheckable(True)
            action.setData(name)
            self._rigs.addAction(action)
        self._entry(menu, "A &rig.toml", self._study.choose_rig_file)
        speeds = menu.addMenu("S&peed of a simulated rat")
        group = QActionGroup(self._window)
        for speed in SPEEDS:
            action = self._entry(speeds, f"{speed:g} ×", self._speed_chooser(speed))
            action.setCheckable(True)
            action.setChecked(speed == chosen)
            group.addAction(action)

    def _rig_chooser(self, name: str) -> Callable[[], None]:
        return lambda: self._study.choose_rig(name)

    def _speed_chooser(self, speed: float) -> Callable[[], None]:
        return lambda: self._choices.set_speed(speed)

    def _study_opener(self, folder: Path) -> Callable[[], None]:
        return lambda: self._study.open(folder)

    def _fill_recent(self) -> None:
        self._recent.clear()
        for folder in self._preferences.recent:
            self._entry(self._recent, str(folder), self._study_opener(folder))

    def _switch(self, menu: QMenu, text: str, name: str, keys: str) -> None:
        action = QAction(text, self._window)
        action.setCheckable(True)
        action.setChecked(bool(getattr(self._preferences, name)))
        action.toggled.connect(lambda on: self._choices.switched(name, bool(on)))
        action.setShortcut(keys)
        menu.addAction(action)

    def _entry(self, menu: QMenu, text: str, then: Callable[[], object], keys: str = "") -> QAction:
        action = QAction(text, self._window)
        action.triggered.connect(lambda _: then())
        action.setShortcut(keys)
        menu.addAction(action)
        return action
