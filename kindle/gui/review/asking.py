"""The few questions of the review window; a test answers them in its own way."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QLabel,
    QLineEdit,
    QMessageBox,
    QWidget,
)

from kindle.gui.review.figure import FORMATS


@dataclass(frozen=True, slots=True)
class Signature:
    author: str
    reason: str


@dataclass(frozen=True, slots=True)
class Questions:
    """Each returns ``None``, or ``False``, where the person thinks better of it."""

    file: Callable[[QWidget], Path | None]
    folder: Callable[[QWidget], Path | None]
    figure: Callable[[QWidget, str], Path | None]
    signature: Callable[[QWidget, str, str], Signature | None]
    discard: Callable[[QWidget, str], bool]


def _file(parent: QWidget) -> Path | None:
    kinds = "Recordings (*.vhdr *.edf *.bdf *.fif *.set *.cnt *.nwb *.rec);;All files (*)"
    chosen, _ = QFileDialog.getOpenFileName(parent, "Open a recording", filter=kinds)
    return Path(chosen) if chosen else None


def _folder(parent: QWidget) -> Path | None:
    chosen = QFileDialog.getExistingDirectory(parent, "Open a study, or the folder of a session")
    return Path(chosen) if chosen else None


def _figure(parent: QWidget, suggested: str) -> Path | None:
    kinds = ";;".join(f"{ending[1:].upper()} (*{ending})" for ending in FORMATS)
    chosen, kind = QFileDialog.getSaveFileName(parent, "Export this view", suggested, kinds)
    if not chosen:
        return None
    path = Path(chosen)
    return path if path.suffix else path.with_suffix(f".{kind.split(' ')[0].lower()}")


def _discard(parent: QWidget, what: str) -> bool:
    answer = QMessageBox.question(
        parent,
        "Correction not saved",
        what,
        QMessageBox.StandardButton.Discard | QMessageBox.StandardButton.Cancel,
        QMessageBox.StandardButton.Cancel,
    )
    return answer == QMessageBox.StandardButton.Discard


class SignatureDialog(QDialog):
    """Author and reason stand in the journal beside the correction; without both there is none."""

    def __init__(self, parent: QWidget, what: str, author: str) -> None:
        super().__init__(parent)
        self.setWindowTitle("Save the correction")
        self.author, self.reason = QLineEdit(author), QLineEdit()
        self.author.setAccessibleName("Author")
        self.reason.setAccessibleName("Reason")
        self.reason.setPlaceholderText("such as: the last spike was missed")
        told = QLabel(what)
        told.setWordWrap(True)
        form = QFormLayout(self)
        form.addRow(told)
        form.addRow("&Author", self.author)
        form.addRow("&Reason", self.reason)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Save | QDialogButtonBox.StandardButton.Cancel)
        self.save = buttons.button(QDialogButtonBox.StandardButton.Save)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        form.addRow(buttons)
        for field in (self.author, self.reason):
            field.textChanged.connect(self._judge)
        self._judge()
        (self.reason if author else self.author).setFocus()
        self.setMinimumWidth(520)

    def _judge(self) -> None:
        self.save.setEnabled(bool(self.author.text().strip() and self.reason.text().strip()))


def _signature(parent: QWidget, what: str, author: str) -> Signature | None:
    dialog = SignatureDialog(parent, what, author)
    if dialog.exec() != QDialog.DialogCode.Accepted:
        return None
    return Signature(dialog.author.text().strip(), dialog.reason.text().strip())


ON_SCREEN = Questions(_file, _folder, _figure, _signature, _discard)
