"""What is loaded before the window opens, so that nothing holds it up in a session."""

import subprocess
import sys

LOADING = """
import gc, sys
from kindle.gui.app import load_beforehand
load_beforehand()
print("nidaqmx._grpc_interpreter" in sys.modules, gc.get_freeze_count() > 50_000, len(gc.get_objects()) < 5_000)
"""


def test_the_vendors_client_is_there_and_the_collector_looks_through_nothing_that_stays() -> None:
    ran = subprocess.run([sys.executable, "-c", LOADING], capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.split() == ["True", "True", "True"]
