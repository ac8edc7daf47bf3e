"""What a window remembers from one day to the next; nothing that an experiment depends on."""

from pathlib import Path

import msgspec
from PySide6.QtCore import QByteArray, QSettings

from kindle.gui.traces.settings import TraceSettings

N_RECENT = 6


class Preferences:
    """Kept in ``file`` where one is given, else where this system keeps such things."""

    def __init__(self, file: Path | None = None) -> None:
        if file is None:
            self._kept = QSettings(QSettings.Format.IniFormat, QSettings.Scope.UserScope, "kindle", "kindle")
        else:
            self._kept = QSettings(str(file), QSettings.Format.IniFormat)

    @property
    def dark(self) -> bool:
        return self._flag("dark", False)

    @dark.setter
    def dark(self, dark: bool) -> None:
        self._kept.setValue("dark", dark)

    @property
    def large(self) -> bool:
        return self._flag("large", False)

    @large.setter
    def large(self, large: bool) -> None:
        self._kept.setValue("large", large)

    @property
    def hides_result(self) -> bool:
        """Whether the verdict of the EEG waits until the behaviour is scored."""
        return self._flag("hides_result", False)

    @hides_result.setter
    def hides_result(self, hides: bool) -> None:
        self._kept.setValue("hides_result", hides)

    @property
    def sound(self) -> bool:
        return self._flag("sound", True)

    @sound.setter
    def sound(self, sound: bool) -> None:
        self._kept.setValue("sound", sound)

    @property
    def traces(self) -> TraceSettings:
        """What cannot be read any more is the usual setting."""
        try:
            return msgspec.json.decode(str(self._kept.value("traces", "{}")), type=TraceSettings)
        except (msgspec.MsgspecError, ValueError):
            return TraceSettings()

    @traces.setter
    def traces(self, settings: TraceSettings) -> None:
        self._kept.setValue("traces", msgspec.json.encode(settings).decode())

    @property
    def geometry(self) -> QByteArray:
        kept = self._kept.value("geometry")
        return kept if isinstance(kept, QByteArray) else QByteArray()

    @geometry.setter
    def geometry(self, geometry: QByteArray) -> None:
        self._kept.setValue("geometry", geometry)

    @property
    def recent(self) -> tuple[Path, ...]:
        """Study folders, the last one opened first."""
        kept = self._kept.value("recent", "")
        return tuple(Path(line) for line in str(kept).split("\n") if line)

    def opened(self, study: Path) -> None:
        folders = [study.resolve(), *(known for known in self.recent if known != study.resolve())]
        self._kept.setValue("recent", "\n".join(str(folder) for folder in folders[:N_RECENT]))

    def save(self) -> None:
        self._kept.sync()

    def _flag(self, name: str, otherwise: bool) -> bool:
        return str(self._kept.value(name, otherwise)).lower() == "true"
