"""``kedro fleet promote`` and ``rollback``: which version serves."""

from pathlib import Path

import click

from fleet_kedro.commands.plain import (
    plain_errors,
    project_folder,
    stage_option,
    store_option,
)
from fleet_kedro.store.registry import ModelRegistry
from fleet_kedro.store.shelf import find_model

PROMOTE_HELP = """Let a model of the store serve in a stage.

It is registered as a version where it is none yet: a git tag on the current commit.
Refused unless

\b
  - its card is complete and its verdict passes, or --override gives a reason,
    which is kept in the tag for all to read;
  - no byte of it was changed, and it is what the committed dvc.lock says.

Tags are made here; `git push --tags` tells the others.

\b
  kedro fleet promote btc-lstm --stage prod
  kedro fleet promote btc-lstm --stage prod --override "paper trading only"
"""

ROLLBACK_HELP = """Let the version serve again that did before the one that does now.

Nothing is deleted: it is one more tag. Rolling back twice goes back two versions.

\b
  kedro fleet rollback btc-lstm
"""


@click.command("promote", help=PROMOTE_HELP, short_help="Let a model serve.")
@click.argument("name")
@stage_option
@click.option("--override", metavar="REASON", help="Promote in spite of objections.")
@store_option
def promote(name: str, stage: str, override: str | None, store: Path) -> None:
    """Promote, and say what happened."""
    project = project_folder()
    with plain_errors():
        found = find_model(project / store, name)
        done = ModelRegistry(project).promote(found, stage, override)
    before = "" if done.replaced is None else f", in place of {done.replaced}"
    click.echo(f"{name} {done.version} is in {stage}{before}.")
    for objection in done.objections:
        click.echo(f"Overridden: {objection}.")
    if not done.is_tracked:
        click.echo("DVC does not track its files: only this machine has them.")
    click.echo("Tell the others with `git push --tags`.")


@click.command(
    "rollback", help=ROLLBACK_HELP, short_help="Let the version before serve again."
)
@click.argument("name")
@stage_option
def rollback(name: str, stage: str) -> None:
    """Roll back, and say what happened."""
    project = project_folder()
    with plain_errors():
        done = ModelRegistry(project).rollback(name, stage)
    click.echo(
        f"{name} {done.version} is in {stage} again, in place of {done.replaced}."
    )
    click.echo("Tell the others with `git push --tags`.")
