"""The public names of the analysis: always the callables, and cheap until they are used."""

import subprocess
import sys
from importlib import import_module

import pytest

import kindle.analysis


def test_importing_the_package_loads_no_numerical_library() -> None:
    code = "import sys, kindle.analysis; print([m for m in ('numpy', 'scipy', 'matplotlib') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)

    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", kindle.analysis.__all__)
def test_each_name_is_a_callable_and_no_module_hides_it(name: str) -> None:
    module = kindle.analysis._MODULE_OF[name]
    assert module not in kindle.analysis.__all__

    import_module(f"kindle.analysis.{module}")
    assert callable(getattr(kindle.analysis, name))
    assert getattr(kindle.analysis, name) is getattr(import_module(f"kindle.analysis.{module}"), name)


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="miller_tainter"):
        kindle.analysis.miller_tainter  # noqa: B018
