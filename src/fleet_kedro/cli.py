"""The command line: Kedro's own commands, with plain sentences for user errors."""

import functools
from typing import Any

import click
from kedro.framework.cli.project import run as kedro_run

from fleet_kedro.market.errors import MarketError


@click.group(name="fleet_kedro")
def cli() -> None:
    """Commands of this project; `run` replaces Kedro's own."""


def _plainly(callback: Any) -> Any:
    """Show a user error as one sentence and exit with status 1, without a traceback."""

    @functools.wraps(callback)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return callback(*args, **kwargs)
        except MarketError as error:
            raise click.ClickException(str(error)) from error

    return call


run = click.Command(
    name=kedro_run.name,
    params=kedro_run.params,
    callback=_plainly(kedro_run.callback),
    help=kedro_run.help,
)
cli.add_command(run)
