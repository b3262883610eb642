"""``kedro fleet models`` and ``card``: which models there are, and what one is."""

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import click
from rich.console import Console
from rich.markdown import Markdown
from rich.table import Table

from fleet_kedro.commands.plain import plain_errors, project_folder, store_option
from fleet_kedro.market.moment import show
from fleet_kedro.store.card_page import card_page, metric_words
from fleet_kedro.store.footprint import bytes_with_history
from fleet_kedro.store.history import Version
from fleet_kedro.store.registry import ModelRegistry, verdict_word
from fleet_kedro.store.serving import LATEST, read_serving
from fleet_kedro.store.shelf import OnShelf, read_shelf

MODELS_HELP = """List the models: name, version, stage, verdict, metrics, size, date.

A version is a git tag that `kedro fleet promote` made; its date is the tag's. A model
in the store that is no version is listed as new. Per model, the newest version and
those in a stage are shown; --all shows every one. The last line counts the models and
the room they take: those in the store, and with those of all commits in DVC's cache.

\b
  kedro fleet models
  kedro fleet models --all
"""

CARD_HELP = """Show the card of a model: its data, scores beside their nulls, verdict.

Without --stage, it is the one that lies in the store; with --stage prod, the one that
serves there, even if another one lies in the store by now.

\b
  kedro fleet card btc-lstm
  kedro fleet card btc-lstm --stage prod --json
"""

_STYLES = {"pass": "green", "fail": "red"}
_NARROWEST = 120


class Row(NamedTuple):
    """A line of the table, in words."""

    name: str
    version: str
    stage: str
    verdict: str
    metrics: str
    size: str
    date: str


@click.command("models", help=MODELS_HELP, short_help="List models and versions.")
@store_option
@click.option("--all", "every", is_flag=True, help="Show every version.")
def models(store: Path, *, every: bool) -> None:
    """Show the table, and name what cannot be read."""
    project = project_folder()
    with plain_errors():
        registry = ModelRegistry(project)
        shelf = read_shelf(project / store)
        kept = bytes_with_history(project, project / store)
        versions = {name: registry.versions(name) for name in registry.names()}
    rows = [
        row
        for name in sorted(versions.keys() | shelf.models.keys())
        for row in rows_of(
            name, versions.get(name, []), shelf.models.get(name), every=every
        )
    ]
    total = sum(found.model.card.size_bytes for found in shelf.models.values())
    # A pipe has no width of its own; a line must not be cut there.
    console = Console(
        width=max(shutil.get_terminal_size().columns, _NARROWEST),
        markup=False,
        highlight=False,
    )
    console.print(_table(rows))
    console.print(
        f"{len(shelf.models)} models, {total / 1e6:,.1f} MB in {store} "
        f"({kept / 1e6:,.1f} MB with history in the cache)."
    )
    for sentence in shelf.damaged:
        console.print(sentence, style="red")


@click.command("card", help=CARD_HELP, short_help="Show what a model is.")
@click.argument("name")
@click.option("--stage", default=LATEST, help="Stage, such as prod; else the store.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@store_option
def card(name: str, stage: str, store: Path, *, as_json: bool) -> None:
    """Show the card on a terminal, or write its Markdown or JSON to a pipe."""
    project = project_folder()
    with plain_errors():
        found = read_serving(project, project / store, name, stage).card
    if as_json:
        click.echo(found.to_json(), nl=False)
        return
    console = Console()
    page = card_page(found)
    if console.is_terminal:
        console.print(Markdown(page))
    else:
        click.echo(page, nl=False)


def rows_of(
    name: str, versions: list[Version], found: OnShelf | None, *, every: bool
) -> Iterator[Row]:
    """Tell of a model's versions, newest first; before them, of a new one."""
    digests = {v.record.digest for v in versions if v.record is not None}
    if found is not None and found.model.digest not in digests:
        yield _new_row(found)
    newest = versions[-1:]
    for version in reversed(versions):
        if every or version.stages or version in newest:
            yield _row(name, version)


def _new_row(found: OnShelf) -> Row:
    card = found.model.card
    return Row(
        name=card.name,
        version="new",
        stage="",
        verdict=verdict_word(card),
        metrics="\n".join(metric_words(metric) for metric in card.metrics),
        size=_size(card.size_bytes),
        date="",
    )


def _row(name: str, version: Version) -> Row:
    record = version.record
    return Row(
        name=name,
        version=version.version,
        stage=", ".join(version.stages),
        verdict=(record.verdict if record else None) or "",
        metrics="\n".join(record.metrics if record else ()),
        size=_size(record.size_bytes if record else None),
        date=f"{show(version.created_at)} UTC",
    )


def _size(n_bytes: int | None) -> str:
    return "" if n_bytes is None else f"{n_bytes / 1e6:,.2f} MB"


def _table(rows: Iterable[Row]) -> Table:
    table = Table()
    for head in Row._fields:
        table.add_column(head, overflow="fold")
    for row in rows:
        table.add_row(*row, style=_STYLES.get(row.verdict) if row.stage else None)
    return table
