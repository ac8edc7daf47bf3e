"""How windows look: light or dark, normal or large type, one palette that every common colour vision can tell apart."""

from dataclasses import dataclass, replace

# The hues of Okabe & Ito, as in the reports, lightened or darkened until they stand out from their ground.


@dataclass(frozen=True, slots=True)
class Look:
    """Colours as #RRGGBB, sizes in points."""

    dark: bool
    large: bool
    ground: str
    """Behind the traces and in fields to type in."""
    panel: str
    """Windows, and buttons that nothing hangs on."""
    raised: str
    ink: str
    quiet: str
    """What is said beside the main thing."""
    line: str
    grid: str
    focus: str
    """The frame of what the keyboard acts on."""
    trace: str
    train: str
    discharge: str
    second: str
    """The other of two readings that are compared; hatched besides."""
    onset: str
    end: str
    band: str
    """± baseline."""
    criterion: str
    """± the criterion's multiple of the baseline."""
    lost: str
    stop: str
    stop_text: str
    arm: str
    arm_text: str
    fire: str
    fire_text: str
    good: str
    warning: str
    text_pt: int = 11
    title_pt: int = 15
    huge_pt: int = 40
    """The next current."""
    button_px: int = 44
    """Least height of what a gloved finger presses."""


LIGHT = Look(
    dark=False,
    large=False,
    ground="#FFFFFF",
    panel="#F2F4F6",
    raised="#E3E8EC",
    ink="#14181B",
    quiet="#525C64",
    line="#B4BDC4",
    grid="#E9ECEF",
    focus="#0072B2",
    trace="#14181B",
    train="#F2C14A",
    discharge="#C9E6F7",
    second="#B85C94",
    onset="#00795A",
    end="#C04E00",
    band="#E4E4E4",
    criterion="#A0457B",
    lost="#525C64",
    stop="#C4161C",
    stop_text="#FFFFFF",
    arm="#F0B429",
    arm_text="#14181B",
    fire="#0B5E8E",
    fire_text="#FFFFFF",
    good="#00795A",
    warning="#9C4A00",
)
DARK = Look(
    dark=True,
    large=False,
    ground="#0E1216",
    panel="#1A2026",
    raised="#2A323A",
    ink="#EEF2F5",
    quiet="#A6B2BC",
    line="#4B5761",
    grid="#1E252B",
    focus="#56B4E9",
    trace="#E4E9ED",
    train="#8A6512",
    discharge="#123C58",
    second="#E08CBB",
    onset="#2FC79B",
    end="#FF8A3C",
    band="#2A3036",
    criterion="#E08CBB",
    lost="#A6B2BC",
    stop="#D8262C",
    stop_text="#FFFFFF",
    arm="#E69F00",
    arm_text="#14181B",
    fire="#2B8CC4",
    fire_text="#06121B",
    good="#2FC79B",
    warning="#FFB454",
)


def look(*, dark: bool = False, large: bool = False) -> Look:
    chosen = DARK if dark else LIGHT
    if not large:
        return chosen
    return replace(chosen, large=True, text_pt=15, title_pt=20, huge_pt=54, button_px=60)


def stylesheet(look: Look) -> str:
    """Qt's style sheet; buttons called ``stop``, ``arm`` and ``fire``, labels ``title``, ``quiet``, ``huge``."""
    return f"""
* {{ font-size: {look.text_pt}pt; color: {look.ink}; }}
QWidget {{ background: {look.panel}; }}
QToolTip {{ background: {look.raised}; color: {look.ink}; border: 1px solid {look.line}; }}
QLabel#title {{ font-size: {look.title_pt}pt; font-weight: 600; }}
QLabel#strong {{ font-weight: 600; }}
QLabel#quiet {{ color: {look.quiet}; }}
QLabel#huge {{ font-size: {look.huge_pt}pt; font-weight: 700; }}
QLabel#warning {{ color: {look.warning}; font-weight: 600; }}
QLabel#good {{ color: {look.good}; font-weight: 600; }}
QPushButton, QToolButton {{ background: {look.raised}; border: 2px solid {look.line}; border-radius: 6px;
  padding: 6px 14px; min-height: {look.button_px - 16}px; }}
QPushButton:hover, QToolButton:hover {{ border-color: {look.quiet}; }}
QPushButton:focus, QToolButton:focus {{ border: 3px solid {look.focus}; }}
QPushButton:checked, QToolButton:checked {{ background: {look.focus}; color: {look.ground}; }}
QPushButton:disabled, QToolButton:disabled {{ color: {look.quiet}; background: {look.panel}; border-style: dashed; }}
QPushButton#stop {{ background: {look.stop}; color: {look.stop_text}; border-color: {look.stop}; font-weight: 700; }}
QPushButton#arm {{ background: {look.arm}; color: {look.arm_text}; border-color: {look.arm}; font-weight: 700; }}
QPushButton#fire {{ background: {look.fire}; color: {look.fire_text}; border-color: {look.fire}; font-weight: 700; }}
QPushButton#stop:focus, QPushButton#arm:focus, QPushButton#fire:focus {{ border: 3px solid {look.ink}; }}
QPushButton#arm:disabled, QPushButton#fire:disabled {{ background: {look.panel}; color: {look.quiet};
  border: 2px dashed {look.line}; }}
QLineEdit, QPlainTextEdit, QTextEdit, QSpinBox, QDoubleSpinBox, QComboBox, QListView, QTableView, QTreeView {{
  background: {look.ground}; border: 2px solid {look.line}; border-radius: 4px; padding: 4px 6px;
  selection-background-color: {look.focus}; selection-color: {look.ground}; }}
QLineEdit:focus, QPlainTextEdit:focus, QTextEdit:focus, QSpinBox:focus, QDoubleSpinBox:focus, QComboBox:focus,
QListView:focus, QTableView:focus, QTreeView:focus {{ border: 3px solid {look.focus}; }}
QListView::item {{ padding: 5px 2px; }}
QComboBox QAbstractItemView {{ background: {look.ground}; }}
QHeaderView::section {{ background: {look.raised}; border: none; border-right: 1px solid {look.line}; padding: 5px; }}
QMenuBar::item:selected, QMenu::item:selected {{ background: {look.focus}; color: {look.ground}; }}
QMenu {{ border: 1px solid {look.line}; }}
QFrame#signal {{ border: 3px solid {look.line}; }}
QFrame#signal:focus {{ border-color: {look.focus}; }}
QProgressBar {{ background: {look.ground}; border: 1px solid {look.line}; border-radius: 4px; text-align: center;
  min-height: 18px; }}
QProgressBar::chunk {{ background: {look.focus}; }}
QSplitter::handle {{ background: {look.line}; }}
QGroupBox {{ border: 1px solid {look.line}; border-radius: 6px; margin-top: 0.8em; padding-top: 0.6em; }}
QGroupBox::title {{ subcontrol-origin: margin; left: 10px; color: {look.quiet}; }}
QStatusBar {{ color: {look.quiet}; }}
"""
