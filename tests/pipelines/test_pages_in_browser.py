"""Every page that the pipelines write, opened in a browser, wide and narrow."""

from typing import NamedTuple

import pytest

# The pipeline that writes each page, behind the validation
PAGES = {
    "global_validation": None,
    "tuning": "tuning",
    "forecasters": "asset_training",
    "backtest": "backtest",
    "signal": "signalling",
}
WIDE, NARROW = 1280, 390
SMALLEST_FONT_PIXELS = 11

FIGURES = """() => [...document.querySelectorAll(".plotly-graph-div")].map(
    figure => {
        const drawn = figure.querySelector("svg.main-svg");
        return [figure.id, drawn ? drawn.getBoundingClientRect().height : 0];
    })"""
OVERFLOW = """() => {
    const page = document.documentElement;
    return page.scrollWidth - page.clientWidth;
}"""
CUT_TABLES = """() => [...document.querySelectorAll("table")]
    .filter(table => table.scrollWidth > table.parentElement.clientWidth + 1)
    .map(table => table.closest("[id]").id)"""
FONTS = """() => [...document.querySelectorAll("td, th, td small")].map(
    cell => parseFloat(getComputedStyle(cell).fontSize))"""
OUTSIDE_FRAMES = """() => document.querySelectorAll(
    "table:not(.scroll > table)").length"""

pytestmark = pytest.mark.slow


class Opened(NamedTuple):
    """A page, what it said on the console, and what it asked for."""

    page: object
    said: list[str]
    asked: list[str]


@pytest.fixture(scope="module")
def reports(validated_project):
    """Write every page, small."""
    for pipeline in filter(None, PAGES.values()):
        run = validated_project.kedro("run", "--pipelines", pipeline, "--env", "smoke")
        assert run.returncode == 0, f"{pipeline}: {run.stdout}{run.stderr}"
    return validated_project.folder / "data/08_reporting"


@pytest.fixture(params=PAGES)
def opened(request, reports, browser, width):
    """Open a page, and wait until its figures had time to be drawn."""
    page = browser.new_page(viewport={"width": width, "height": 900})
    said, asked = [], []
    page.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda sent: asked.append(sent.url))
    page.goto((reports / f"{request.param}.html").as_uri())
    page.locator(".plotly-graph-div svg.main-svg").last.wait_for(state="attached")
    yield Opened(page, said, asked)
    page.close()


@pytest.mark.parametrize("width", [WIDE, NARROW])
class TestAtEveryWidth:
    def test_nothing_goes_wrong_and_nothing_is_fetched(self, opened):
        own = opened.page.url

        assert opened.said == []
        assert [url for url in opened.asked if not url.startswith("data:")] == [own]

    def test_every_figure_is_drawn(self, opened):
        figures = opened.page.evaluate(FIGURES)

        assert figures
        assert [name for name, height in figures if height < 100] == []

    def test_only_tables_and_wide_figures_scroll_sideways(self, opened):
        assert opened.page.evaluate(OVERFLOW) <= 0
        assert opened.page.evaluate(OUTSIDE_FRAMES) == 0

    def test_what_tables_say_is_large_enough_to_read(self, opened):
        fonts = opened.page.evaluate(FONTS)

        assert fonts
        assert min(fonts) >= SMALLEST_FONT_PIXELS

    def test_links_lead_to_the_sections(self, opened):
        page = opened.page
        links = page.locator("nav a").all()

        assert len(links) == page.locator("section[id]").count() > 0
        for link in links:
            link.click()
            place = page.locator(link.get_attribute("href"))
            assert place.count() == 1
            height = page.viewport_size["height"]
            assert -1 <= place.bounding_box()["y"] < height


@pytest.mark.parametrize("width", [WIDE])
def test_no_table_is_cut_on_a_screen(opened):
    assert opened.page.evaluate(CUT_TABLES) == []
