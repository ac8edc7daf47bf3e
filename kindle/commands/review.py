"""`kindle review`: sessions and recordings looked at again."""

import sys
from pathlib import Path

import click


@click.command(short_help="Look at a session or any recording again: judge, compare, correct, draw.")
@click.argument("path", required=False, type=click.Path(path_type=Path))
def review(path: Path | None) -> None:
    """Open PATH in the review window: a study folder, the folder of a session, or any recording file.

    Nothing is changed by looking. A correction is written to the journal with author and reason, beside what the
    detector said.
    """
    from kindle.errors import ConfigError

    try:
        from kindle.gui.review.app import run
    except ImportError as missing:
        raise ConfigError(
            f"the window cannot be shown: {missing}; install Qt's system libraries, or use kindle detect and amend"
        ) from missing
    sys.exit(run(path))
