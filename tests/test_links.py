"""Every link of the documentation that stays in the project leads somewhere."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    page.relative_to(ROOT)
    for page in [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob("bench/*.md"),
    ]
)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
ELSEWHERE = re.compile(r"[a-z]+:")


def links_of(page: Path) -> Iterator[tuple[str, str]]:
    """Yield file and anchor of each link into the project."""
    for target in LINK.findall((ROOT / page).read_text(encoding="utf-8")):
        if not ELSEWHERE.match(target):
            file, _, anchor = target.partition("#")
            yield file, anchor


def anchors_of(page: Path) -> set[str]:
    """Name the headings of a page as a link does."""
    headings = HEADING.findall(page.read_text(encoding="utf-8"))
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        for heading in headings
    }


def test_there_are_links_to_follow():
    assert Path("README.md") in PAGES
    assert len([link for page in PAGES for link in links_of(page)]) >= 5


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_links_into_the_project_lead_somewhere(page):
    for file, anchor in links_of(page):
        target = (ROOT / page).parent / file if file else ROOT / page
        assert target.exists(), f"{page} links to {file}"
        if anchor:
            assert anchor in anchors_of(target), f"{page} links to {file}#{anchor}"


def test_every_page_of_docs_can_be_reached_from_the_readme():
    seen, ahead = set(), [Path("README.md")]
    while ahead:
        page = ahead.pop()
        seen.add(page)
        found = (
            ((ROOT / page).parent / file).resolve().relative_to(ROOT)
            for file, _ in links_of(page)
            if file.endswith(".md")
        )
        ahead += [other for other in found if other not in seen]
    assert {page for page in PAGES if page.parts[0] == "docs"} <= seen
