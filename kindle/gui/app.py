"""The program with a window: from the command line to the first frame."""

import gc
import signal
from pathlib import Path

from PySide6.QtWidgets import QApplication

from drivers.nidaq_client import load_client
from kindle.gui.preferences import Preferences
from kindle.gui.window import Window

ENDING = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
"""Ctrl-C at the terminal, being ended by the system; not every system has all of them."""


def run(study: Path | None, rig: str | None) -> int:
    """Show the window until it is closed; the exit code."""
    application = QApplication.instance() or QApplication(["kindle"])
    if isinstance(application, QApplication):
        application.setStyle("Fusion")
    load_beforehand()
    window = Window(Preferences(), study=study, rig=rig)

    def end(*_: object) -> None:
        """Current off first, in whatever state; then the window closes by itself."""
        if window.running:
            window.leave()
        else:
            window.close()

    for name in ENDING:
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), end)
    window.show()
    return application.exec()


def load_beforehand() -> None:
    """What would make every thread wait for a tenth of a second or more while a session runs, before one does.

    Everything that is loaded by now stays: the collector of unused objects need not look through it again and again.
    """
    load_client()
    gc.collect()
    gc.freeze()
