"""The campaign, or some of its parts: `python -m benchmarks.reliability [--quick] [PART...]`.

Leaves with 1 when any part did not hold what is promised.
"""

import argparse
import importlib
import sys
import time

PARTS = (
    "kill",
    "crashes",
    "faults",
    "faults_disk",
    "power",
    "power_device",
    "power_journal",
    "clock",
    "hostile",
    "tamper",
    "access",
    "soak",
    "realtime",
    "safety",
)
"""Each a module with ``run(quick, seconds) -> Result``."""
FULL_S = 1800.0
"""About how long a part may take; one that needs longer has a ``FULL_S`` of its own."""
QUICK_S, LEAST_S = 240.0, 5.0
"""For all parts of the quick campaign together, and for each of them whatever the others took."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reliability", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; default: all")
    parser.add_argument("--quick", action="store_true", help="the whole in a few minutes")
    parser.add_argument("--seconds", type=float, help="about how long each part may take")
    asked = parser.parse_args()
    if unknown := set(asked.parts) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    failed = []
    end_s = time.monotonic() + QUICK_S
    parts = asked.parts or PARTS
    for number, name in enumerate(parts):
        begun_s = time.monotonic()
        part = importlib.import_module(f"benchmarks.reliability.{name}")
        share_s = max(LEAST_S, (end_s - begun_s) / (len(parts) - number))
        seconds = asked.seconds or (share_s if asked.quick else getattr(part, "FULL_S", FULL_S))
        result = part.run(asked.quick, seconds)
        said = "left out" if result.left_out else "holds" if result.passed else "DOES NOT HOLD"
        print(f"{name}: {said} ({time.monotonic() - begun_s:.0f} s)")
        print(*(f"  {line}" for line in result.lines), sep="\n", flush=True)
        if not result.passed:
            failed.append(name)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
