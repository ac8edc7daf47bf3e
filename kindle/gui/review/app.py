"""The review window alone: from the command line to the first picture."""

from pathlib import Path

from PySide6.QtWidgets import QApplication

from kindle.gui.look import Look, look
from kindle.gui.preferences import Preferences
from kindle.gui.review.opening import entries
from kindle.gui.review.window import ReviewWindow


def run(path: Path | None) -> int:
    """Show the window until it is closed; the exit code. Raises ``KindleError`` where ``path`` is nothing to open."""
    if path is not None:
        entries(path)
    application = QApplication.instance() or QApplication(["kindle"])
    if isinstance(application, QApplication):
        application.setStyle("Fusion")
    preferences = Preferences()
    window = ReviewWindow(look(dark=preferences.dark, large=preferences.large))

    def keep(chosen: Look) -> None:
        preferences.dark, preferences.large = chosen.dark, chosen.large
        preferences.save()

    window.look_changed.connect(keep)
    window.show()
    if path is not None:
        window.open_path(path)
    return application.exec()
