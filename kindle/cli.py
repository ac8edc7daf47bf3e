"""The `kindle` command: parses, calls, shows. Everything it does can be done from Python without it."""

import sys

import click

from kindle import __version__
from kindle.commands.calibrate import calibrate
from kindle.commands.course import amend, due, preview, score, show, unblind
from kindle.commands.demo import demo
from kindle.commands.detect import detect
from kindle.commands.devices import devices
from kindle.commands.doctor import doctor
from kindle.commands.ed50 import ed50
from kindle.commands.isobole import isobole
from kindle.commands.records import recover, report, verify
from kindle.commands.replay import replay
from kindle.commands.rig import rig
from kindle.commands.run import run
from kindle.commands.study import animal, study

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 110}


class InOrder(click.Group):
    """Lists the commands in the order in which they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


@click.group(cls=InOrder, context_settings=CONTEXT)
@click.version_option(__version__, prog_name="kindle")
def kindle() -> None:
    """Kindling experiments: thresholds, afterdischarges, and the records they leave.

    \b
    Without hardware:     kindle demo
    A study of your own:  kindle study init STUDY, then fill in STUDY/study.toml
                          kindle animal add --study STUDY R01
                          kindle run threshold --study STUDY --animal R01 \\
                                               --rig rig.toml
    """


for command in (
    demo,
    study,
    animal,
    due,
    preview,
    run,
    score,
    amend,
    show,
    unblind,
    report,
    replay,
    verify,
    recover,
    detect,
    devices,
    calibrate,
    rig,
    doctor,
    ed50,
    isobole,
):
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
        told = _told(error)
        if told is None:
            raise
        click.echo(f"kindle: {' '.join(told.split())}", err=True)
        sys.exit(1)


def _told(error: Exception) -> str | None:
    """What the person is told, with what failed besides; ``None`` for a mistake of the program itself."""
    # Imported here: a command that succeeds need not wait for numpy.
    from drivers.interface import DriverError
    from kindle.errors import KindleError

    match error:
        case KindleError() | DriverError():
            said = str(error)
        case OSError(strerror=str(why), filename=name) if name is not None:
            said = f"{name}: {why}; check the path, the disk and its permissions"
        case _:
            return None
    return ". ".join(dict.fromkeys((said, *getattr(error, "__notes__", ()))))
