"""The `kindle` command: parses, calls, shows. Everything it does can be done from Python without it."""

import io
import sys

import click

from kindle import __version__
from kindle.commands.calibrate import calibrate
from kindle.commands.compare import compare
from kindle.commands.course import acknowledge, amend, due, preview, score, show, unblind
from kindle.commands.demo import demo
from kindle.commands.designing import design, responders
from kindle.commands.detect import detect
from kindle.commands.devices import devices
from kindle.commands.doctor import doctor
from kindle.commands.ed50 import ed50
from kindle.commands.export import export
from kindle.commands.gui import gui
from kindle.commands.import_ import import_
from kindle.commands.isobole import isobole
from kindle.commands.mirror import mirror
from kindle.commands.published import presets, schedules, tests
from kindle.commands.reanalyse import reanalyse
from kindle.commands.records import recover, report, verify
from kindle.commands.replay import replay
from kindle.commands.review import review
from kindle.commands.rig import rig
from kindle.commands.run import run
from kindle.commands.study import animal, study
from kindle.telling import printable, told

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


for command in (presets, schedules, tests, design, responders):
    study.add_command(command)

for command in (
    demo,
    study,
    animal,
    due,
    preview,
    run,
    gui,
    score,
    amend,
    acknowledge,
    show,
    unblind,
    report,
    export,
    replay,
    review,
    verify,
    recover,
    import_,
    mirror,
    detect,
    reanalyse,
    compare,
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
        shown = io.StringIO()
        error.show(shown)
        for line in shown.getvalue().splitlines():
            click.echo(printable(line), err=True)
        sys.exit(error.exit_code)
    except (click.exceptions.Abort, KeyboardInterrupt):
        click.echo("kindle: stopped", err=True)
        sys.exit(130)
    except Exception as error:
        sentence = told(error)
        if sentence is None:
            raise
        click.echo(f"kindle: {sentence}", err=True)
        sys.exit(1)
