"""Reads the tables of a page."""

import re


def cells(page: str, section: str) -> dict[str, list[str]]:
    """Read a section's rows: the name, then the text of each cell."""
    inside = page[page.index(f'<section id="{section}">') :]
    inside = inside[: inside.index("</section>")]
    rows = re.findall(r'<tr><th scope="row">(.*?)</th>(.*?)</tr>', inside)
    return {
        name: [re.sub(r"<.*?>", "", cell) for cell in re.findall(r"<td.*?</td>", rest)]
        for name, rest in rows
    }
