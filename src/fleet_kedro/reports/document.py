"""A page around its sections: style sheet, plotting library, figures, cards.

Everything is inside, and a policy in the head forbids the browser to fetch anything.
Nothing depends on when or where the page was made.
"""

import re
from collections.abc import Sequence

import plotly.graph_objects as go
import plotly.io
from plotly.offline import get_plotlyjs

from fleet_kedro.reports.markup import escape, number, paragraph
from fleet_kedro.reports.page_style import STYLE

_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src data: blob:"
)


# as `section` writes them, so the title is escaped already
_SECTION = re.compile(r'<section id="([^"]+)">\n<h2>(.*?)</h2>')
_MOST_NARROW_TRACES = 8


def document(body: str, title: str) -> str:
    """Return a whole HTML file; links to its sections follow the header."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n"
        f"<script>{get_plotlyjs()}</script>\n</head>\n"
        f"<body>\n<main>\n{_with_contents(body)}\n</main>\n</body>\n</html>\n"
    )


def card_row(cards: Sequence[tuple[str, str, str]]) -> str:
    """Lay out titles and large numbers, each with its null below."""
    return f'<div class="cards">\n{"".join(_card(*card) for card in cards)}</div>'


def figure_block(name: str, figure: go.Figure) -> str:
    """Write a figure whose title is text of the page, where it can wrap."""
    title = figure.layout.title
    caption = (
        f"<figcaption>\n<h3>{escape(title.text)}</h3>\n"
        f"{paragraph(title.subtitle.text, 'note')}\n</figcaption>"
    )
    untitled = go.Figure(figure).update_layout(
        title=None, margin_t=48, height=figure.layout.height - 62
    )
    roomy = ' class="roomy"' if _needs_room(figure) else ""
    plot = plotly.io.to_html(
        untitled,
        config={"displaylogo": False, "responsive": True, "displayModeBar": False},
        include_plotlyjs=False,
        full_html=False,
        div_id=f"figure-{name}",
    )
    return f"<figure{roomy}>\n{caption}\n{plot}\n</figure>"


def _with_contents(body: str) -> str:
    links = "\n".join(
        f'<a href="#{name}">{title}</a>' for name, title in _SECTION.findall(body)
    )
    return body.replace("</header>", f"<nav>\n{links}\n</nav>\n</header>", 1)


def _needs_room(figure: go.Figure) -> bool:
    """Tell whether a phone must scroll: panels side by side, or a long legend."""
    panels = len(list(figure.select_xaxes()))
    fields = any(trace.type == "heatmap" for trace in figure.data)
    return panels > 1 or len(figure.data) > _MOST_NARROW_TRACES or fields


def _card(title: str, value: str, null: str) -> str:
    return (
        f'<div class="card"><div class="title">{escape(title)}</div>'
        f'<div class="value">{escape(number(value).text)}</div>'
        f'<div class="null">{escape(number(null).text)}</div></div>\n'
    )
