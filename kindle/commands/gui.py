"""`kindle gui`: the window that a technician works at."""

import sys
from pathlib import Path

import click


@click.command(short_help="The window: sessions, live traces, scoring, training.")
@click.option(
    "--study",
    "folder",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="A study folder; without one, the window offers to open one.",
)
@click.option(
    "--rig",
    metavar="FILE",
    help="The rig's TOML file; or simulated or emulated. Default: rig.toml in the study folder, else simulated.",
)
def gui(folder: Path | None, rig: str | None) -> None:
    """Open the window: choose an animal, arm and fire, score by key, with every sample recorded meanwhile.

    Esc stops current in any state. A window that is closed in mid-session leaves a session that can be resumed, here
    or with kindle run.
    """
    from kindle.errors import ConfigError
    from kindle.rig_config import load_rig
    from kindle.study import check_folder

    if folder is not None:
        check_folder(folder)
    if rig is not None:
        load_rig(rig)
    try:
        from kindle.gui.app import run
    except ImportError as missing:
        raise ConfigError(
            f"the window cannot be shown: {missing}; install Qt's system libraries, or use kindle run"
        ) from missing
    sys.exit(run(folder, rig))
