"""One reader, steered to code that no input has reached before, by atheris: `-m benchmarks.reliability.hostile_guided`.

atheris has to see kindle imported, and does not come back: hence a program of its own, which prints its tally.
"""

import json
import logging
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from random import Random
from time import monotonic

from benchmarks.reliability.guard import bounded_memory, watched
from benchmarks.reliability.tally import Tally

SLACK_S = 600.0
"""For imports that are instrumented, and a reader that hangs where Python cannot interrupt it."""
OWN_SHARE = 0.5
"""Of the mutants, made by the rules of ``mutation``; the others are atheris's own."""
_INSTRUMENTED = ("kindle", "drivers", "detectors", "tomllib", "configparser", "csv", "edfio")
_RAISED = re.compile(r"[\w.]*(Error|Exception|Hung|Forbidden)\b")
"""How Python tells of what was raised last."""
_FLAGS = ("-max_len=60000", "-timeout=0", "-rss_limit_mb=0", "-malloc_limit_mb=0", "-handle_segv=0", "-verbosity=0")


def available() -> bool:
    return find_spec("atheris") is not None


def guided(name: str, study: Path, made: Path, seconds: float, seed: int) -> Tally:
    """The reader ``name`` of ``hostile_targets`` in a process that ends with it; ``made`` is a new folder for it."""
    made.mkdir()
    command = [sys.executable, "-m", __name__, name, str(study), str(made), str(seconds), str(seed)]
    try:
        ran = subprocess.run(command, capture_output=True, timeout=seconds + SLACK_S, check=False)
    except subprocess.TimeoutExpired:
        return Tally(name, findings={"hangs where Python cannot interrupt it": _last(made)})
    told = ran.stdout.decode("utf-8", "replace").strip().splitlines()
    if ran.returncode or not told:
        lines = ran.stderr.decode("utf-8", "replace").splitlines()
        complaint = next((line for line in reversed(lines) if _RAISED.match(line)), "no error is told")[:200]
        return Tally(name, findings={f"the process ends with {ran.returncode}: {complaint}": _last(made)})
    said = json.loads(told[-1])
    found = {what: bytes.fromhex(given) for what, given in said.pop("findings").items()}
    return Tally(name, findings=found, **said)


def _last(made: Path) -> bytes:
    path = made / "last"
    return path.read_bytes() if path.exists() else b""


def _main(name: str, study: Path, made: Path, seconds: float, seed: int) -> None:
    import atheris

    with atheris.instrument_imports(include=list(_INSTRUMENTED), enable_loader_override=False):
        from benchmarks.reliability.hostile_inputs import told_of, warm_up
        from benchmarks.reliability.hostile_targets import targets
        from benchmarks.reliability.mutation import mutated
    target = next(target for target in targets(study, made) if target.name == name)
    folder, corpus = made / "given", made / "corpus"
    folder.mkdir()
    corpus.mkdir()
    sound = list(target.sound())
    warm_up(target, sound, folder)
    for number, given in enumerate(sound):
        (corpus / str(number)).write_bytes(given)
    tally, random, end_s = Tally(name), Random(f"{seed} {name}"), monotonic() + seconds
    last = os.open(made / "last", os.O_WRONLY | os.O_CREAT)

    def one_input(given: bytes) -> None:
        os.ftruncate(last, 0)
        os.pwrite(last, given, 0)
        told_of(tally, target, given, folder, seen)
        if monotonic() > end_s:
            logging.disable(logging.NOTSET)
            _tell(tally)

    def mutant(given: bytes, most_bytes: int, _: int) -> bytes:
        if random.random() < OWN_SHARE:
            return mutated(random, (given, *sound), target.well_formed)[:most_bytes]
        return bytes(atheris.Mutate(given, most_bytes))

    with watched(folder) as seen, bounded_memory():
        atheris.Setup([sys.argv[0], *_FLAGS, f"-seed={seed}", str(corpus)], one_input, custom_mutator=mutant)
        atheris.Fuzz()


def _tell(tally: Tally) -> None:
    """And leave at once: nothing else ends atheris without a report of its own."""
    findings = {what: given.hex() for what, given in tally.findings.items()}
    told = {"read": tally.read, "refused": tally.refused, "slowest_s": tally.slowest_s, "findings": findings}
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    _main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), float(sys.argv[4]), int(sys.argv[5]))
