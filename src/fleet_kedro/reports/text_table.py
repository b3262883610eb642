"""Tables of text: how they look on a console, and as plain lines."""

import io
from collections.abc import Iterable

from rich import box
from rich.console import Console
from rich.table import Table

_WIDE_ENOUGH = 200


def blank_table(title: str, *, is_dense: bool = False) -> Table:
    """Return a table without columns; a dense one has no space around its cells."""
    return Table(
        title=title,
        title_justify="left",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        padding=0 if is_dense else (0, 1),
        pad_edge=False,
    )


def add_columns(
    table: Table, first: str, others: Iterable[str], words: Iterable[str] = ()
) -> None:
    """Add columns that never wrap: numbers to the right, the first and words left."""
    table.add_column(first, no_wrap=True)
    left = set(words)
    for title in others:
        is_left = title in left
        table.add_column(title, justify="left" if is_left else "right", no_wrap=True)


def plain_lines(table: Table) -> list[str]:
    """Write a table without colours, as wide as it needs."""
    sheet = Console(
        file=io.StringIO(), width=_WIDE_ENOUGH, color_system=None, legacy_windows=False
    )
    with sheet.capture() as written:
        sheet.print(table)
    return [line.rstrip() for line in written.get().splitlines()]
