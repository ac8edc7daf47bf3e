"""What a part of the campaign hands back."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Result:
    """``lines`` are figures and findings in plain words; ``passed`` is whether everything promised held."""

    lines: tuple[str, ...]
    passed: bool
    left_out: bool = False
    """Whether this computer cannot do it; then it neither holds nor fails."""
