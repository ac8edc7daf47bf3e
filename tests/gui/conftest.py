"""Windows are tested without a screen; Qt must be told before it is imported."""

import importlib
import os

import pytest

os.environ["QT_QPA_PLATFORM"] = "offscreen"
os.environ["PYQTGRAPH_QT_LIB"] = "PySide6"

try:
    importlib.import_module("PySide6.QtWidgets")
except ImportError as error:
    WHY_NOT = f"Qt's system libraries are not installed ({error})"
else:
    WHY_NOT = ""

collect_ignore_glob = ["test_*.py"] if WHY_NOT else []


def pytest_report_header() -> str | None:
    return f"tests of windows are left out: {WHY_NOT}" if WHY_NOT else None


@pytest.fixture(autouse=True)
def _settings_of_its_own(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that a test's window remembers reaches the person's own settings."""
    monkeypatch.setenv("XDG_CONFIG_HOME", f"{tmp_path}/config")
