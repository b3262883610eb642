"""Where the project lies, and how a command says what a user can mend."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from kedro.utils import find_kedro_project

from fleet_kedro.store.errors import StoreError


@contextmanager
def plain_errors() -> Iterator[None]:
    """Show a user error as one sentence and exit with status 1, without a traceback."""
    try:
        yield
    except StoreError as error:
        raise click.ClickException(str(error)) from error


def project_folder() -> Path:
    """Return the project that the command was called in."""
    found = find_kedro_project(Path.cwd())
    if found is None:
        raise click.ClickException(
            f"{Path.cwd()} lies in no Kedro project; go to the project's folder."
        )
    return Path(found)


store_option = click.option(
    "--store",
    default="data/06_models",
    show_default=True,
    type=click.Path(path_type=Path),
    help="Folder of the models, relative to the project.",
)
stage_option = click.option(
    "--stage",
    default="prod",
    show_default=True,
    help="Stage, such as staging or prod.",
)
