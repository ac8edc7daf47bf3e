"""The `kindle` command: parses, calls, shows. Everything it does can be done from Python without it."""

import sys

import click

from kindle import __version__
from kindle.commands.demo import demo
from kindle.commands.detect import detect
from kindle.commands.records import recover, report, verify
from kindle.commands.replay import replay
from kindle.commands.run import run
from kindle.commands.study import animal, study

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 110}


@click.group(context_settings=CONTEXT)
@click.version_option(__version__, prog_name="kindle")
def kindle() -> None:
    """Kindling experiments: thresholds, afterdischarges, and the records they leave."""


for command in (demo, run, detect, replay, study, animal, report, verify, recover):
    kindle.add_command(command)


def main() -> None:
    """Exit codes: 0 done; 1 refused or failed, with one clear line on stderr; 2 wrong usage; 130 stopped by Ctrl-C."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        kindle.main(standalone_mode=False)
    except click.exceptions.Exit as leave:
        sys.exit(leave.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.exceptions.Abort, KeyboardInterrupt):
        click.echo("kindle: stopped", err=True)
        sys.exit(130)
    except Exception as error:
        if not _is_ours(error):
            raise
        click.echo(f"kindle: {' '.join(str(error).split())}", err=True)
        sys.exit(1)


def _is_ours(error: Exception) -> bool:
    # Imported here: a command that succeeds need not wait for numpy.
    from drivers.interface import DriverError
    from kindle.errors import KindleError

    return isinstance(error, KindleError | DriverError)
