"""A person at the window: keys and clicks, and waiting for what the screen shows."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton, QWidget
from pytestqt.qtbot import QtBot

from kindle.assembly import Instruments
from kindle.conducting import Assemble
from kindle.gui.preferences import Preferences
from kindle.gui.session_page import SessionPage
from kindle.gui.window import Window
from kindle.rig_config import RigConfig
from kindle.situation import Phase
from tests.bench import Rig

QUICK = 400.0
"""Times real time: a wait of half a minute is over before a person could look up."""
UNHURRIED = 4.0
"""While the person acts: an armed train waits for five seconds of the test's own time."""
TIMEOUT_MS = 20_000


def on_bench(rig: Rig) -> Assemble:
    @contextmanager
    def assemble(config: RigConfig, animal: str) -> Iterator[Instruments]:
        yield rig.instruments

    return assemble


class AtWindow:
    """``window`` is shown and its study is read."""

    def __init__(self, qtbot: QtBot, study: Path, rig: Rig, settings: Path, speed: float = QUICK) -> None:
        self.qtbot = qtbot
        self.window = Window(Preferences(settings), study=study, rig="simulated", assemble=on_bench(rig), speed=speed)
        qtbot.addWidget(self.window, before_close_func=_ended)
        self.window.show()
        qtbot.waitExposed(self.window)
        self.until(lambda: bool(self.window.start.animal))

    @property
    def page(self) -> SessionPage:
        assert self.window.session is not None
        return self.window.session

    @property
    def phase(self) -> Phase | None:
        """As the window has drawn it."""
        conductor = self.window.conductor
        assert conductor is not None
        situation = conductor.shown.situation
        return None if situation is None else situation.phase

    @property
    def over(self) -> bool:
        return self.window.conductor is not None and self.window.conductor.shown.over

    def until(self, condition: Callable[[], bool]) -> None:
        self.qtbot.waitUntil(condition, timeout=TIMEOUT_MS)

    def press(self, key: Qt.Key, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        self.qtbot.keyClick(self.window, key, modifiers)

    def click(self, button: QPushButton) -> None:
        self.qtbot.mouseClick(button, Qt.MouseButton.LeftButton)

    def button_is_there(self, begins: str) -> bool:
        return any(b.isVisible() and b.text().startswith(begins) for b in self.window.findChildren(QPushButton))

    def button(self, begins: str, within: QWidget | None = None) -> QPushButton:
        """The one visible button whose text begins so."""
        buttons = [
            button
            for button in (within or self.window).findChildren(QPushButton)
            if button.isVisible() and button.text().startswith(begins)
        ]
        assert len(buttons) == 1, [button.text() for button in buttons]
        return buttons[0]

    def begin(self) -> None:
        self.until(lambda: self.window.start.begin.isEnabled())
        self.click(self.window.start.begin)

    def give_train(self) -> None:
        """Arm by key, fire by key, and wait until the train is over."""
        self.arm()
        self.press(Qt.Key.Key_Space)
        self.until(lambda: self.over or self.phase in (Phase.TRAIN, Phase.WATCHING))

    def arm(self) -> None:
        """Arm by key as soon as that is possible; from then on time passes slowly."""
        self.until(lambda: self.over or self.page.controls.arm.isEnabled())
        assert not self.over
        self.window.set_speed(UNHURRIED)
        self.press(Qt.Key.Key_Return)
        self.until(lambda: self.over or self.page.controls.fire.isEnabled())

    def hurry(self) -> None:
        self.window.set_speed(QUICK)


def _ended(window: QWidget) -> None:
    assert isinstance(window, Window)
    if window.conductor is not None and window.running:
        window.conductor.stop()
        assert window.conductor.wait_over(20)
