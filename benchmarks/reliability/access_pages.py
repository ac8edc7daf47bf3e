"""Report pages of studies in which every text is hostile: nothing of it becomes an element, and a browser runs none."""

import json
import shutil
import subprocess
import tempfile
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from typing import Any

from benchmarks.reliability.specimen import ANIMAL, STUDY, kindle, recorded
from benchmarks.reliability.told_journal import fields_in, line_of, tell_more, write_journal
from kindle.journal import JournalReader
from kindle.study import JOURNAL

_TAG = "hostile-tag"
_STRUCK = "struck-by-a-script"
TEXT = f"\"'><{_TAG} onload=x></script><{_TAG}><img src=x onerror=document.documentElement.className='{_STRUCK}'>&amp;"
"""Where it is not escaped, one of its elements comes to be, or the text is read back as something else."""
FREE_TEXTS = {
    *("reason", "author", "note", "strain", "sex", "species", "rig", "text", "why", "source", "stimulator", "cause"),
    *("answer", "condition", "vehicle", "batch", "stimulator_stop", "shock", "substituted"),
}
"""What a journal's rows may say in anybody's words."""
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


class _Page(HTMLParser):
    def __init__(self, content: str) -> None:
        super().__init__()
        self.elements = 0
        self.hostile: list[str] = []
        self.text = ""
        self.feed(content)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements += 1
        if tag == _TAG or any(name.startswith("on") for name, _ in attrs):
            self.hostile.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def hostile_studies(folder: Path) -> tuple[list[Path], list[str]]:
    """One that was typed, one whose journal was written so, and what the commands said against them."""
    typed, ran = _typed(folder / "typed")
    told = folder / "told"
    told.mkdir()
    written = recorded(told)
    tell_more(written)
    _overwrite(written)
    ran.append(kindle("report", str(written)))
    refused = [f"kindle {' '.join(one.args[3:5])}: {one.stderr.strip()[-300:]}" for one in ran if one.returncode]
    return [typed, written], refused


def _typed(study: Path) -> "tuple[Path, list[subprocess.CompletedProcess[str]]]":
    where = ("--study", str(study))
    ran = [kindle("study", "init", str(study))]
    (study / "study.toml").write_text(STUDY.replace('"specimen"', json.dumps(TEXT)))
    rig = (files("kindle") / "rigs" / "simulated.toml").read_text(encoding="utf-8")
    (study / "rig.toml").write_text(rig.replace('"simulated"', json.dumps(TEXT), 1))
    ran += [
        kindle("animal", "add", ANIMAL, *where, "--strain", TEXT, "--sex", TEXT, "--note", TEXT),
        kindle("run", "threshold", *where, "--animal", ANIMAL),
        kindle("amend", *where, "--reason", TEXT, "--by", TEXT, "1", "note", TEXT + "2"),
        kindle("report", str(study)),
    ]
    return study, ran


def _overwrite(study: Path) -> None:
    """Every free text of the journal, its chain sound again."""
    with JournalReader.open(study / JOURNAL) as journal:
        lines = b"".join(line_of(row) for row in journal.rows())
    told = [
        (session, kind, sample, utc, json.dumps(_with_hostile_texts(json.loads(payload)), ensure_ascii=False))
        for session, kind, sample, utc, payload in fields_in(lines)
    ]
    write_journal(study, told)


def _with_hostile_texts(value: Any) -> Any:
    match value:
        case dict():
            return {
                key: TEXT if key in FREE_TEXTS and isinstance(inner, str) and inner else _with_hostile_texts(inner)
                for key, inner in value.items()
            }
        case list():
            return [_with_hostile_texts(inner) for inner in value]
        case _:
            return value


def pages(studies: list[Path]) -> tuple[str, list[str]]:
    """As text: what elements there are, and that a person can read what was written."""
    found = {path: _Page(path.read_text(encoding="utf-8")) for study in studies for path in study.rglob("*.html")}
    shown = sum(page.text.count(TEXT) for page in found.values())
    wrong = [f"{path.name}: the text made {len(page.hostile)} elements" for path, page in found.items() if page.hostile]
    if len(found) < 3 or shown < 10:
        wrong.append(f"{len(found)} pages show the text {shown} times; 10 times on 3 pages were expected")
    elements = sum(page.elements for page in found.values())
    return f"pages: {elements} elements of {len(found)} pages, the hostile text shown {shown} times", wrong


def browsed(studies: list[Path]) -> tuple[str, list[str]]:
    """As a browser has them after it ran whatever runs there; a page of the text as it stands shows that it would."""
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        return "browser: none is installed, left out", []
    with tempfile.TemporaryDirectory() as made:
        bare = Path(made) / "bare.html"
        bare.write_text(f"<p title='{TEXT}</p>", encoding="utf-8")
        wrong = [] if _struck(browser, bare) else ["browser: the text does nothing even where it is not escaped"]
    found = [path for study in studies for path in study.rglob("*.html")]
    wrong += [f"{path.name}: the text ran as a script in {Path(browser).name}" for path in found
              if _struck(browser, path)]  # fmt: skip
    return f"browser: {len(found)} pages opened in {Path(browser).name}, {len(wrong)} in which the text ran", wrong


def _struck(browser: str, page: Path) -> bool:
    """Whether a script of the text ran, or an element of it stands in the document."""
    with tempfile.TemporaryDirectory() as profile:
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
        options += ["--disable-background-networking", "--disable-component-update", f"--user-data-dir={profile}"]
        ran = subprocess.run(
            [browser, *options, "--dump-dom", page.resolve().as_uri()], capture_output=True, timeout=120, check=False
        )
    shown = ran.stdout.decode("utf-8", "replace")
    if "</html>" not in shown:
        raise RuntimeError(f"{browser} does not show {page}: {ran.stderr.decode('utf-8', 'replace')[-300:]}")
    return f'class="{_STRUCK}"' in shown or f"<{_TAG}" in shown
