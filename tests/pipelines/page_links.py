"""Reads what a page would fetch."""

from html.parser import HTMLParser


def fetched_by(page: str) -> list[str]:
    """Return the links of a page that do not lie in the page itself."""
    links = _Links()
    links.feed(page)
    return [link for link in links.found if not link.startswith(("#", "data:"))]


class _Links(HTMLParser):
    """Collects whatever a page would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del tag
        self.found += [value or "" for name, value in attrs if name in {"src", "href"}]
