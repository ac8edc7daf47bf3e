"""No file and no answer of an instrument is ever run as code: what could do that is not in the shipped packages."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("kindle", "drivers", "detectors")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))

RUNS_CODE = {"eval", "exec", "compile", "__import__", "execfile"}
"""Of Python itself; a method of that name, such as a dialog's `exec`, is another thing."""
FORBIDDEN_MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "yaml", "ruamel"} | {
    *("code", "codeop", "runpy", "pty", "imp")
}
SHELLS = {("os", "system"), ("os", "popen"), ("os", "execv"), ("os", "execvp"), ("os", "spawnl")}
STARTS_PROGRAMS = {"kindle/benches.py"}
"""The emulated bench, by a command that no file has a part in."""
NAMED_IMPORTS = {"kindle/doctor.py", "kindle/analysis/__init__.py", "kindle/spreading.py"}
"""Modules by names that stand in the program."""
OPENS_RIGHTS = {"chmod", "fchmod", "lchmod", "umask", "setuid", "setgid", "chown"}


def calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def forbidden(source: str, name: str) -> Iterator[str]:
    """What in a module could run what a file holds, or open its rights."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        modules += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
        for module in modules:
            top = module.partition(".")[0]
            if top in FORBIDDEN_MODULES or (top == "subprocess" and name not in STARTS_PROGRAMS):
                yield f"imports {module}"
            if top == "importlib" and "import_module" in ast.dump(node) and name not in NAMED_IMPORTS:
                yield "imports by name"
    for call in calls(tree):
        keywords = {keyword.arg: keyword.value for keyword in call.keywords}
        match call.func:
            case ast.Name(id) if id in RUNS_CODE:
                yield f"calls {id}"
            case ast.Attribute(ast.Name(owner), attribute) if (owner, attribute) in SHELLS:
                yield f"calls {owner}.{attribute}"
            case ast.Attribute(_, attribute) if attribute in OPENS_RIGHTS:
                yield f"calls {attribute}"
            case ast.Attribute(ast.Name("np" | "numpy"), "load"):
                refuses = keywords.get("allow_pickle")
                if not (isinstance(refuses, ast.Constant) and refuses.value is False):
                    yield "calls np.load without allow_pickle=False"
        if any(isinstance(value, ast.Constant) and value.value is True for key, value in keywords.items()
               if key in ("shell", "allow_pickle")):  # fmt: skip
            yield "allows a shell or a pickle"


def test_nothing_in_the_shipped_packages_runs_what_a_file_holds() -> None:
    names = {path: path.relative_to(ROOT).as_posix() for path in SOURCES}
    found = {name: list(forbidden(path.read_text(encoding="utf-8"), name)) for path, name in names.items()}
    assert len(found) > 300
    assert {name: what for name, what in found.items() if what} == {}


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("eval(text)", "calls eval"),
        ("exec(text)", "calls exec"),
        ("import pickle", "imports pickle"),
        ("from yaml import load", "imports yaml"),
        ("import subprocess", "imports subprocess"),
        ("from importlib import import_module", "imports by name"),
        ("import os\nos.system(text)", "calls os.system"),
        ("np.load(path)", "calls np.load without allow_pickle=False"),
        ("np.load(path, allow_pickle=True)", "allows a shell or a pickle"),
        ("run(text, shell=True)", "allows a shell or a pickle"),
        ("path.chmod(0o777)", "calls chmod"),
    ],
)
def test_what_would_run_a_file_is_noticed(source: str, what: str) -> None:
    assert what in list(forbidden(source, "kindle/some.py"))


def test_what_only_sounds_like_it_is_not_noticed() -> None:
    assert list(forbidden("application.exec()\nre.compile('a')\ndialog.exec()", "kindle/gui/app.py")) == []
