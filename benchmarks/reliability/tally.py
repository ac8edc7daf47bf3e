"""What came of the inputs that one reader was given."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Tally:
    """``findings`` are what it did that it must not, each kind once, with the input; ``ways`` where it refused."""

    name: str
    read: int = 0
    refused: int = 0
    slowest_s: float = 0.0
    grown_mb: float = 0.0
    findings: dict[str, bytes] = field(default_factory=dict)
    ways: Counter[tuple[object, ...]] = field(default_factory=Counter)

    @property
    def n(self) -> int:
        return self.read + self.refused

    @property
    def line(self) -> str:
        return (
            f"{self.name:27} {self.n:>8} inputs: {self.read} read, {self.refused} refused in {len(self.ways)} ways, "
            f"slowest {1e3 * self.slowest_s:.0f} ms, {len(self.findings)} findings"
        )

    def found(self) -> list[str]:
        return [f"{self.name}: {what}; input {_shown(given)}" for what, given in self.findings.items()]


def _shown(given: bytes) -> str:
    return repr(given if len(given) < 300 else given[:150] + b" ... " + given[-150:])
