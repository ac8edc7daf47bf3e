"""`kindle reanalyse`: every recording of a study judged again, by one criterion and the detector of today."""

from pathlib import Path

import click

from kindle.commands.batch_running import into_table, spreading_options
from kindle.commands.study import FOLDER

TABLE = "reanalysis.sqlite"


@click.command(short_help="Judge every recording of a study again.")
@FOLDER
@click.option("--preset", help="Take the criterion of this threshold preset. Default: that of the study.")
@click.option(
    "--criterion", "criterion_file", type=click.Path(path_type=Path), help="TOML file with values of your own."
)
@click.option(
    "--table",
    type=click.Path(path_type=Path, dir_okay=False),
    help=f"SQLite file for the results. Default: STUDY/{TABLE}",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output, and nothing else.")
@spreading_options
def reanalyse(
    folder: Path,
    preset: str | None,
    criterion_file: Path | None,
    table: Path | None,
    as_json: bool,
    jobs: int,
    scheduler: str | None,
) -> None:
    """Judge the recordings of a study, imported ones too, again, and write the results into one table.

    The journal stays as it is. The same command goes on after a stop: what is done is not done again, what failed is
    tried again. Another criterion or another detector adds its results to the same table; kindle compare shows what
    they change.
    """
    from kindle.criteria import criterion_from
    from kindle.errors import KindleError
    from kindle.reanalysis import Asked
    from kindle.recordings_of_study import recordings_of
    from kindle.study import open_study

    with open_study(folder) as study:
        recordings = recordings_of(study)
        own = study.config
        criterion = criterion_from(preset or own.preset, criterion_file, None if preset else own.threshold)
    if not recordings:
        raise KindleError(f"{folder} has no recordings yet: kindle run and kindle import make them")
    into_table(recordings, Asked(criterion), table or folder / TABLE, jobs, scheduler, as_json=as_json)
