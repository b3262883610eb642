"""The command line: Kedro's own commands, with plain sentences for user errors."""

import functools
import importlib
import logging
import pkgutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
from kedro.framework.cli.project import run as kedro_run

from fleet_kedro import pipelines
from fleet_kedro.hooks import ParameterError, refuse_unknown
from fleet_kedro.market.errors import MarketError
from fleet_kedro.store.errors import StoreError

USER_ERRORS = (MarketError, ParameterError, StoreError)

# Where each command of `kedro fleet` is, by its name.
FLEET_COMMANDS = {
    "card": "fleet_kedro.commands.models:card",
    "dvc-sync": "fleet_kedro.commands.dvc_sync:dvc_sync",
    "leak-audit": "fleet_kedro.commands.leak_audit:leak_audit",
    "models": "fleet_kedro.commands.models:models",
    "promote": "fleet_kedro.commands.promote:promote",
    "rollback": "fleet_kedro.commands.promote:rollback",
    "signal": "fleet_kedro.commands.signal:signal",
}

EPILOG = """\b
Parameters that are most often given, here with their defaults:
  --params folds=5                scored spans of the walk-forward
  --params days=730               length of the window
  --params end=2023-12-31T23:00   its last candle, inclusive; else the latest
\b
Together, on candles of your own:
  export FLEET_MARKET_DIR=path/to/folder
  kedro run --pipelines global_validation --env files --params folds=3,days=365
"""


@click.group(name="fleet_kedro")
def cli() -> None:
    """Commands of this project; `run` replaces Kedro's own."""


def _plainly(callback: Any) -> Any:
    """Show a user error as one sentence and exit with status 1, without a traceback."""

    @functools.wraps(callback)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            with _told_once():
                refuse_unknown("pipeline", _requested(kwargs), _packages())
                return callback(*args, **kwargs)
        except USER_ERRORS as error:
            raise click.ClickException(str(error)) from error

    return call


def _requested(options: dict[str, Any]) -> set[str]:
    """Return what was asked for by the option of today and by the one of old."""
    return {options["pipeline"], *options["pipelines"]} - {None, "", "__default__"}


def _packages() -> set[str]:
    """Name every package of pipelines, without importing one."""
    found = pkgutil.iter_modules(pipelines.__path__)
    return {package.name for package in found if package.ispkg}


@contextmanager
def _told_once() -> Iterator[None]:
    """Keep Kedro from logging a user error while it passes: it is told at the end."""
    handlers = logging.getLogger().handlers
    for handler in handlers:
        handler.addFilter(_is_untold)
    try:
        yield
    finally:
        for handler in handlers:
            handler.removeFilter(_is_untold)


def _is_untold(_: logging.LogRecord) -> bool:
    return not isinstance(sys.exc_info()[1], USER_ERRORS)


run = click.Command(
    name=kedro_run.name,
    params=kedro_run.params,
    callback=_plainly(kedro_run.callback),
    help=kedro_run.help,
    epilog=EPILOG,
)
cli.add_command(run)


class _Lazily(click.Group):
    """A group whose commands are imported when they are asked for, one by one.

    They pull in many chapters, and Kedro reads this file at each of its own commands.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return sorted(FLEET_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in FLEET_COMMANDS:
            return None
        module, name = FLEET_COMMANDS[cmd_name].split(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command


cli.add_command(_Lazily(name="fleet", help="Verbs of the fleet that Kedro has not."))
