"""The lineage in the browser: every pipeline, and the layers by name."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

LAYERS = ["raw", "intermediate", "primary", "feature", "model_output", "reporting"]
PIPELINES = {
    "__default__",
    "asset_training",
    "backtest",
    "feature_engineering",
    "global_training",
    "global_validation",
    "ingestion",
    "tuning",
    "validation",
}
PATIENCE_SECONDS = 90
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
def address(make_project):
    """Serve the lineage on a free port until the tests are done."""
    folder = make_project().folder
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
        yield f"http://127.0.0.1:{port}/api"
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
def lineage(address):
    return fetch(f"{address}/main")


def test_all_pipelines_are_listed(lineage):
    assert {pipeline["id"] for pipeline in lineage["pipelines"]} == PIPELINES


def test_the_layers_are_named_in_the_order_of_the_work(lineage):
    shown = lineage["layers"]

    assert set(shown) == {*LAYERS, "models"}
    # Models of single assets hang on features alone: any place before the reports.
    assert [layer for layer in shown if layer != "models"] == LAYERS


@pytest.mark.parametrize("name", sorted(PIPELINES))
def test_each_pipeline_can_be_looked_at(address, lineage, name):
    shown = fetch(f"{address}/pipelines/{name}")
    kinds = {node["type"] for node in shown["nodes"]}

    assert kinds >= {"task", "data", "parameters"}
    assert shown["edges"]
    assert set(shown["layers"]) <= set(lineage["layers"])
