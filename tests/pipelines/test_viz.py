"""The lineage as a person sees it: pipelines, layers and previews, in a browser."""

import json
import os
import pkgutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from fleet_kedro import pipelines

LAYERS = [
    *("01_raw", "02_intermediate", "03_primary", "04_feature"),
    *("07_model_output", "08_reporting"),
]
PIPELINES = sorted(
    {"__default__"} | {p.name for p in pkgutil.iter_modules(pipelines.__path__) if p[2]}
)
# The brain's card quotes a report, and so do decision rules; an ensemble for production
# weighs what its members forecast. There, models are made behind what judges them.
MODELS, JUDGED_FIRST = "06_models", {"global_training", "asset_training", "tuning"}
PATIENCE_SECONDS = 90
PATIENCE_MILLISECONDS = 30_000
HIGHEST_PORT = 49_151
# never through a proxy of the machine
DIRECTLY = urllib.request.build_opener(urllib.request.ProxyHandler({}))

pytestmark = pytest.mark.slow


def free_port() -> int:
    """Find a port that Kedro-Viz takes: it refuses those above 49151."""
    for port in range(20_000 + os.getpid() % 10_000, HIGHEST_PORT):
        with socket.socket() as candidate:
            try:
                candidate.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError(f"No port below {HIGHEST_PORT} is free.")


@pytest.fixture(scope="module")
def folder(validated_project) -> Path:
    return validated_project.folder


@pytest.fixture(scope="module")
def address(folder):
    """Serve the lineage on a free port until the tests are done."""
    port = free_port()
    with (folder / "viz.log").open("w") as log:
        server = subprocess.Popen(  # noqa: S603
            [
                *(Path(sys.executable).with_name("kedro"), "viz", "run"),
                *("--no-browser", "--host", "127.0.0.1", "--port", str(port)),
            ],
            cwd=folder,
            env={k: v for k, v in os.environ.items() if not k.startswith("KEDRO_")}
            | {"DO_NOT_TRACK": "1"},
            # The server forks: only its group as a whole can be ended.
            start_new_session=True,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(timeout=PATIENCE_SECONDS)


def fetch(url: str) -> dict:
    """Ask until the server has started."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            with DIRECTLY.open(url, timeout=10) as answer:
                return json.load(answer)
        except urllib.error.URLError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)


@pytest.fixture(scope="module")
def lineage(address) -> dict:
    return fetch(f"{address}/api/main")


@pytest.fixture(scope="module")
def open_page(address, browser):
    """Open a page of the lineage, with nothing to fetch but from the server."""
    context = browser.new_context(viewport={"width": 1600, "height": 1000})
    context.route(
        "**/*",
        lambda route: (
            route.continue_()
            if urlsplit(route.request.url).hostname in ("127.0.0.1", None)
            else route.abort()
        ),
    )
    context.set_default_timeout(PATIENCE_MILLISECONDS)

    def open_it(query: str = ""):
        page = context.new_page()
        page.goto(f"{address}/{query}")
        return page

    fetch(f"{address}/api/main")
    yield open_it
    context.close()


class TestServed:
    def test_all_pipelines_are_listed(self, lineage):
        assert sorted(pipeline["id"] for pipeline in lineage["pipelines"]) == PIPELINES

    def test_no_circle_of_layers_hides_them(self, lineage):
        assert set(lineage["layers"]) == {*LAYERS, MODELS}

    @pytest.mark.parametrize("name", PIPELINES)
    def test_layers_stand_in_the_order_of_the_folders(self, address, name):
        shown = fetch(f"{address}/api/pipelines/{name}")
        made = {edge["target"] for edge in shown["edges"]}
        told = {node.get("layer") for node in shown["nodes"] if node["id"] in made}
        if name in JUDGED_FIRST:
            told -= {MODELS}
        # A layer of which all was there before is drawn wherever there is room.
        layers = [layer for layer in shown["layers"] if layer in told]

        assert made
        assert layers == sorted(told - {None})
        assert set(shown["layers"]) == {*LAYERS, MODELS}

    @pytest.mark.parametrize(
        ("name", "kind"),
        [
            ("coverage_calendar", "PlotlyPreview"),
            ("quality_report", "TablePreview"),
            ("global_validation", "JSONPreview"),
        ],
    )
    def test_previews_hold_what_was_saved(self, address, lineage, name, kind):
        told = fetch(f"{address}/api/nodes/{node_id(lineage, name)}")

        assert told["preview_type"] == kind
        assert told["preview"]

    def test_the_verdict_is_among_the_metrics(self, address, lineage, folder):
        told = fetch(f"{address}/api/nodes/{node_id(lineage, 'global_validation')}")
        saved = folder / "data/08_reporting/global_validation.json"

        assert json.loads(told["preview"]) == json.loads(saved.read_text("utf-8"))
        assert "verdict" in json.loads(told["preview"])


def at_rest(page, read, pause_ms=500, longest_pauses=40):
    """Read until two readings are alike: the layers glide to their places."""
    last = read()
    for _ in range(longest_pauses):
        page.wait_for_timeout(pause_ms)
        now = read()
        if now == last:
            return now
        last = now
    raise AssertionError(f"Still moving after {longest_pauses} readings: {last}")


class TestSeen:
    def test_every_pipeline_is_offered(self, open_page):
        offered = open_page().locator(".pipeline-list .menu-option")
        offered.first.wait_for(state="attached")

        assert sorted(t.strip() for t in offered.all_text_contents()) == PIPELINES

    def test_layers_stand_below_each_other(self, open_page):
        page = open_page()
        named = page.locator(".pipeline-layer-name")
        named.nth(len(LAYERS) - 1).wait_for(state="attached")
        tops = at_rest(
            page,
            lambda: [
                (box.bounding_box()["y"], box.text_content()) for box in named.all()
            ],
        )

        assert [name for _, name in sorted(tops)] == LAYERS

    def test_a_figure_is_drawn(self, open_page, lineage):
        chosen = node_id(lineage, "coverage_calendar")
        page = open_page(f"?pid=__default__&sid={chosen}")
        drawn = page.locator(".pipeline-metadata .js-plotly-plot svg.main-svg")
        drawn.first.wait_for()

        assert drawn.first.bounding_box()["width"] > 0

    def test_a_table_has_a_row_for_each_asset(self, open_page, lineage):
        chosen = node_id(lineage, "quality_report")
        page = open_page(f"?pid=__default__&sid={chosen}")
        rows = page.locator(".pipeline-metadata .preview-table tbody tr")
        rows.first.wait_for()

        written = [row.split() for row in rows.all_inner_texts()]
        for asset in ("BTC", "ETH"):
            assert [asset in row for row in written].count(True) == 1

    def test_the_verdict_can_be_read(self, open_page, lineage):
        chosen = node_id(lineage, "global_validation")
        page = open_page(f"?pid=__default__&sid={chosen}")
        shown = page.locator(".pipeline-metadata__preview-json")
        shown.first.wait_for()

        assert "verdict" in shown.first.inner_text()


def node_id(lineage: dict, name: str) -> str:
    (found,) = [node["id"] for node in lineage["nodes"] if node["name"] == name]
    return found
