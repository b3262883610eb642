"""The few pieces of HTML that a page is made of; every text is escaped here."""

import html
from collections.abc import Sequence
from dataclasses import dataclass

_MINUS = str.maketrans({"-": "\N{MINUS SIGN}"})


@dataclass(frozen=True)
class Cell:
    """A cell of a table: its text, something smaller beside it, and a tone.

    The tone is a class of the style sheet: ``good``, ``bad``, or none.
    """

    text: str
    small: str = ""
    tone: str = ""


Row = Sequence[Cell | str]


def escape(text: object) -> str:
    """Return text that means itself, between tags and inside attributes."""
    return html.escape(str(text), quote=True)


def number(written: str, span: str = "", tone: str = "") -> Cell:
    """Return a cell with a number and perhaps its interval, with true minus signs."""
    return Cell(written.translate(_MINUS), span.translate(_MINUS), tone)


def table(header: Sequence[str], rows: Sequence[Row], css: str = "numbers") -> str:
    """Lay out rows: the first column names the row, the others hold its numbers."""
    titles = "".join(f'<th scope="col">{escape(title)}</th>' for title in header)
    body = "\n".join(_row(cells) for cells in rows)
    return (
        f'<div class="scroll"><table class="{escape(css)}">\n'
        f"<thead><tr>{titles}</tr></thead>\n<tbody>\n{body}\n</tbody>\n"
        "</table></div>"
    )


def section(name: str, title: str, *parts: str) -> str:
    """Wrap parts under a heading that can be linked to."""
    inner = "\n".join(part for part in parts if part)
    return (
        f'<section id="{escape(name)}">\n<h2>{escape(title)}</h2>\n{inner}\n</section>'
    )


def paragraph(text: str, css: str = "") -> str:
    """Return a paragraph of plain text."""
    marked = f' class="{escape(css)}"' if css else ""
    return f"<p{marked}>{escape(text)}</p>"


def _row(cells: Row) -> str:
    name, *others = cells
    head = f'<th scope="row">{_content(name)}</th>'
    return f"<tr>{head}{''.join(map(_data, others))}</tr>"


def _data(cell: Cell | str) -> str:
    tone = cell.tone if isinstance(cell, Cell) else ""
    marked = f' class="{escape(tone)}"' if tone else ""
    return f"<td{marked}>{_content(cell)}</td>"


def _content(cell: Cell | str) -> str:
    if isinstance(cell, str):
        return escape(cell)
    small = f" <small>{escape(cell.small)}</small>" if cell.small else ""
    return f"{escape(cell.text)}{small}"
