"""The command line with hostile words: it ends with 0, 1 or 2 and says in one line what is wrong."""

import contextlib
import io
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from time import monotonic
from unicodedata import category

from benchmarks.reliability.guard import Forbidden, Hung, limited, watched
from benchmarks.reliability.mutation import NASTY
from benchmarks.reliability.text_targets import TABLES
from kindle.cli import main

_TEMPLATES = (
    "ed50 TABLE", "ed50 TABLE --natural 0.1 --ci delta --json",
    "ed50 TABLE --effect 0.5 --link logit --spearman-karber 0.1",
    "isobole TABLE2",
    "isobole TABLE2 --fraction-of-ed50 0.5 --se tallarida",
    "study show STUDY", "study presets",
    "animal add --study STUDY --strain Wistar --sex f --born 2026-01-31 NEW",
    "animal add --study STUDY --note text NEW",
    "due STUDY --animal ANIMAL", "score --study STUDY --animal ANIMAL --stage 4 --row 7 --by me",
    "amend --study STUDY --reason why --by me 7 stage 4", "amend --study STUDY --reason why --by me 1 strain Lewis",
    "show --study STUDY 7",
    "acknowledge --study STUDY --animal ANIMAL --by me",
    "preview threshold --study STUDY --animal ANIMAL",
    "recover RECORDING", "verify STUDY", "detect RECORDING/signal.vhdr --stimulus times:12.5 --train-s 1 --jobs 1",
    "import RECORDING/signal.vhdr --study STUDY --animal ANIMAL --start 2026-03-04T09:30+01:00 --role EEG=eeg",
    "replay --study STUDY SESSION", "report STUDY --session SESSION", "rig check RIG", "doctor --nonsense",
    "study init NEW --preset hannover_ascending", "study schedules", "study tests", "study responders STUDY",
    "study design STUDY --kind latin_square --seed 1", "study end STUDY --animal ANIMAL --reason text",
    "animal list --study STUDY", "animal show --study STUDY ANIMAL", "animal weigh --study STUDY ANIMAL 280",
    "animal event --study STUDY ANIMAL note --reason text", "unblind STUDY --key TABLE --reason why --by me",
    "export tables STUDY OUT --force", "export edf STUDY OUT_EDF --session SESSION --force",
    "mirror show STUDY", "mirror sync STUDY", "mirror release STUDY --animal ANIMAL", "mirror init STUDY --owner me",
    "mirror take STUDY --animal ANIMAL --from left --by me --reason why",
    "detect RECORDING/signal.vhdr --stimulus none --jobs 1 --table RESULTS", "compare RESULTS RESULTS --json",
    "reanalyse STUDY --jobs 1 --table RESULTS", "run threshold --study STUDY --animal ANIMAL --rig RIG",
    "run kindling --study STUDY --animal ANIMAL --rig RIG", "run drug-test --study STUDY --animal ANIMAL --rig RIG",
    "run ptz --study STUDY --animal ANIMAL --rig RIG", "run electroshock --study STUDY --animal ANIMAL --rig RIG",
    "calibrate RIG --load-ohm 10000", "devices --nonsense",
)  # fmt: skip
"""Upper-case words stand for files and names that are there; a rig is one that no file describes rightly. What opens a
window, or takes minutes by design, is left out: gui, review, demo."""

COMMAND_S = 20.0
"""A command may have work to do besides reading its words."""


@dataclass
class Commands:
    n: int = 0
    codes: dict[object, int] = field(default_factory=dict)
    findings: list[str] = field(default_factory=list)

    @property
    def line(self) -> str:
        codes = ", ".join(f"{n} with {code}" for code, n in sorted(self.codes.items(), key=str))
        return f"{'command line':22} {self.n:>8} inputs: {codes}, {len(self.findings)} findings"


def run(study: Path, folder: Path, seconds: float, seed: int, most: int | None = None) -> Commands:
    """Only ``folder``, in which ``study`` lies, may be written to."""
    random, done, known = Random(f"{seed} command line"), Commands(), set[str]()
    places = _places(study, folder)
    home = Path.cwd()
    os.chdir(folder)
    os.environ["MPLCONFIGDIR"] = str(folder)  # matplotlib keeps its fonts there
    try:
        for template in _TEMPLATES:  # what is imported late is there before anything is watched
            _ended(_filled(template, places))
        end_s = monotonic() + seconds
        with watched(folder) as seen:
            while monotonic() < end_s and done.n != most:
                words = _hostile(random, _filled(random.choice(_TEMPLATES), places))
                code, wrong = _ended(words)
                done.n += 1
                done.codes[code] = done.codes.get(code, 0) + 1
                wrong = seen.pop() if seen else wrong
                if wrong and wrong not in known:
                    known.add(wrong)
                    done.findings.append(f"command line: {wrong}; kindle {' '.join(map(repr, words))[:300]}")
    finally:
        os.chdir(home)
    return done


def _places(study: Path, folder: Path) -> dict[str, str]:
    (folder / "one.csv").write_bytes(TABLES[0])
    (folder / "two.csv").write_bytes(TABLES[3])
    (folder / "rig.toml").write_text("name = 1\n")
    recording = next((study / "recordings").glob("*/*/signal.vhdr")).parent
    return {
        "TABLE2": str(folder / "two.csv"),
        "TABLE": str(folder / "one.csv"),
        "STUDY": str(study),
        "RECORDING": str(recording),
        "SESSION": recording.name,
        "OUT_EDF": str(folder / "out_edf"),
        "OUT": str(folder / "out"),
        "RESULTS": str(folder / "results of words.sqlite"),
        "RIG": str(folder / "rig.toml"),
        "ANIMAL": recording.parent.name,
        "NEW": f"{recording.parent.name}-2",
    }


def _filled(template: str, places: dict[str, str]) -> list[str]:
    words = []
    for word in template.split():
        name, slash, rest = word.partition("/")
        words.append(places.get(name, name) + slash + rest)
    return words


def _hostile(random: Random, words: list[str]) -> list[str]:
    """One to three words of the command changed, left out, doubled or put in."""
    for _ in range(random.randrange(1, 4)):
        place = random.randrange(1, len(words) + 1)
        nasty = random.choice(NASTY)[:5000].replace(b"\0", b"").decode("utf-8", "surrogateescape")
        other = random.choice(words)
        changes: tuple[list[str], ...] = (
            [nasty],
            [],
            [other],
            [nasty + other],
            [other + nasty],
            ["--" + nasty],
            ["--study", nasty],
        )
        words = [*words[:place], *random.choice(changes), *words[place + random.randrange(2) :]]
    return words


def _ended(words: list[str]) -> tuple[object, str]:
    """The exit code, and what is wrong with the way it ended."""
    said, complained = (io.TextIOWrapper(io.BytesIO(), "utf-8", "replace") for _ in range(2))
    before = sys.argv
    sys.argv = ["kindle", *words]
    code: object = 0
    try:
        with limited(COMMAND_S), contextlib.redirect_stdout(said), contextlib.redirect_stderr(complained):
            main()
    except SystemExit as left:
        code = left.code or 0
    except Hung:
        return "time out", f"kindle {words[0]} takes longer than {COMMAND_S:g} s"
    except Forbidden as error:
        return "stopped", str(error)
    except Exception as error:
        return "traceback", f"kindle {words[0]}: {type(error).__name__}: {str(error)[:150]}"
    finally:
        sys.argv = before
    complained.seek(0)
    return code, _fault(code, complained.read(), words[0])


def _fault(code: object, complained: str, command: str) -> str:
    lines = [line for line in complained.splitlines() if line.startswith(("kindle:", "Error:"))]
    if code not in (0, 1, 2):
        return f"kindle {command} ends with {code}"
    if "Traceback" in complained:
        return f"kindle {command} shows a traceback"
    if any(category(letter) == "Cc" and letter not in "\n\t" for letter in complained):
        return f"kindle {command} sends control characters of the input to the terminal"
    helped = code == 2 and complained.startswith("Usage:") and not lines
    return (
        f"kindle {command} ends with {code}, {len(lines)} lines of why"
        if code and len(lines) != 1 and not helped
        else ""
    )
