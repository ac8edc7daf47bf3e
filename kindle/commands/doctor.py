"""`kindle doctor`: is this installation fit to run an experiment?"""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from kindle.finding import Finding

WIDTH = 14


@click.command(short_help="Check this installation.")
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    metavar="DIR",
    default=Path(),
    help="Where studies are kept; default: the folder you are in.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output, and nothing else.")
def doctor(folder: Path, as_json: bool) -> None:
    """Check versions, packages, drivers, disk and permissions, and say what to do.

    Opens no instrument. Exit code 1 when something has to be put right.
    """
    from kindle.doctor import examine

    tell(examine(folder), as_json=as_json)


def tell(findings: "Iterable[Finding]", *, as_json: bool) -> None:
    """Print each finding as it comes; raise ``KindleError`` when any failed."""
    import msgspec

    from kindle.errors import KindleError
    from kindle.finding import Outcome

    told = []
    for finding in findings:
        told.append(finding)
        if not as_json:
            mark = finding.outcome.value if finding.outcome is not Outcome.FAILED else "FAILED"
            click.echo(f"{mark:<7} {finding.item:<{WIDTH}} {finding.text}")
    if as_json:
        click.echo(msgspec.json.encode({"findings": told}))
    wrong = [finding.item for finding in told if finding.outcome is Outcome.FAILED]
    if wrong:
        raise KindleError(f"to be put right: {', '.join(dict.fromkeys(wrong))}; what to do stands above")
