"""Switches that `kindle ed50` and `kindle isobole` share: the conventions that change the numbers of a quantal fit."""

from collections.abc import Callable
from typing import TypeVar

import click

F = TypeVar("F", bound=Callable[..., object])

_OPTIONS = (
    click.option(
        "--link",
        type=click.Choice(["probit", "logit", "cloglog"]),
        default="probit",
        show_default=True,
        help="Shape of the curve.",
    ),
    click.option(
        "--information",
        type=click.Choice(["expected", "observed"]),
        default="expected",
        show_default=True,
        help="Of the standard errors: expected as R and EPA, observed as SPSS and SAS.",
    ),
    click.option(
        "--heterogeneity",
        type=click.Choice(["p<0.05", "p<0.10", "p<0.15", "always", "never"]),
        default="p<0.05",
        show_default=True,
        help="When spread beyond chance between the groups widens limits: p of chi2, as EPA 0.05, SAS 0.10, SPSS 0.15.",
    ),
    click.option(
        "--level", type=click.FloatRange(0.5, 0.9999), default=0.95, show_default=True, help="Coverage of limits."
    ),
    click.option(
        "--resamples",
        type=click.IntRange(0, 1_000_000),
        default=2000,
        show_default=True,
        help="Of whole animals, where animals were tested more than once; 0 for none.",
    ),
    click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the resampling."),
)


def conventions(command: F) -> F:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def basis_option(command: F) -> F:
    return click.option(
        "--basis",
        type=click.Choice(["mg_salt", "mg_free", "mmol_active", "mg_cation", "mmol_cation"]),
        help="Express doses in mg/kg of the named salts otherwise, as in mmol/kg of what acts.",
    )(command)


def check_resamples(resamples: int) -> None:
    """Raises ``ConfigError`` for fewer than limits can be read from."""
    from kindle.errors import ConfigError

    if 0 < resamples < 100:
        raise ConfigError(
            f"--resamples {resamples} is too few for limits; give at least 100, better 2000, or 0 for none"
        )
