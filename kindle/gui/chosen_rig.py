"""The rig that the next session uses: given on the command line, beside the study, or chosen in the menu."""

from pathlib import Path

from kindle.errors import KindleError
from kindle.rig_config import RigConfig, load_rig


class ChosenRig:
    """A study's own rig.toml is taken until a person chooses another."""

    def __init__(self, given: str | None) -> None:
        self.name = given or "simulated"
        self._by_person = given is not None

    def choose(self, name: str) -> None:
        self.name, self._by_person = name, True

    def beside(self, study: Path) -> None:
        own = study / "rig.toml"
        if not self._by_person:
            self.name = str(own) if own.is_file() else "simulated"

    def load(self) -> RigConfig | str:
        """The rig as its file has it now, or what is wrong with it."""
        try:
            return load_rig(self.name)
        except KindleError as wrong:
            return f"rig {self.name}: {wrong}"


def reality(rig: RigConfig) -> str:
    return "SIMULATED RAT" if rig.bench is not None else "real instruments"
