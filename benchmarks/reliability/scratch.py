"""A folder that is gone afterwards."""

import tempfile
from pathlib import Path


def scratch() -> tempfile.TemporaryDirectory[str]:
    """In memory where the system has such a folder: millions of files are written."""
    return tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None)
