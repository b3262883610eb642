"""Models travel: pushed from one clone, pulled into another, and used there."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from repro.s3_server import BUCKET, S3Server, s3_server
from repro.small_project import SmallProject

pytestmark = pytest.mark.slow

NAME = "global-brain"
STORE = "data/06_models"
WINDOW = "data/02_intermediate/fleet_window.json"
CARD = ("fleet", "card", NAME, "--stage", "prod", "--json")
# What the brain of production forecasts here, as a hash of every number.
FORECAST = """
import hashlib
from pathlib import Path

import pandas as pd

from fleet_kedro.models.brain_files import brain_from_files
from fleet_kedro.store.serving import read_serving

project = Path.cwd()
model = read_serving(project, project / "data/06_models", "global-brain")
tables = sorted((project / "data/04_feature").glob("*.parquet"))
table = brain_from_files(model.files).forecast(
    {path.stem: lambda path=path: pd.read_parquet(path) for path in tables}
).table
numbers = pd.util.hash_pandas_object(table, index=True).to_numpy().tobytes()
print(len(table), hashlib.sha256(numbers).hexdigest())
"""


def forecast(project: SmallProject) -> str:
    return project.run(".venv/bin/python", "-c", FORECAST).stdout.split("\n")[-2]


def signal(project: SmallProject) -> str:
    """Return the signal that a run makes here, of the newest candles there are."""
    project.kedro("run", "--env", "base", "--pipelines", "signalling")
    return (project.folder / "data/08_reporting/multi_asset_signal.json").read_text()


def bytes_of(project: SmallProject) -> Iterator[bytes]:
    """Read all that lies in a project or beside it: git's objects, logs and caches."""
    yield project.run(
        "git", "cat-file", "--batch-all-objects", "--batch"
    ).stdout.encode()
    for path in project.folder.parent.rglob("*"):
        if path.is_file() and not path.is_symlink():
            yield path.read_bytes()


def holds(project: SmallProject, words: str) -> bool:
    return any(words.encode() in content for content in bytes_of(project))


@pytest.fixture(scope="module")
def origin(finished, tmp_path_factory) -> SmallProject:
    """A project whose brain is in production, by a tag."""
    folder = tmp_path_factory.mktemp("origin")
    project = finished.project.copy(folder / "project")
    # The brain of such a small market fails its verdict, and shall.
    project.kedro("fleet", "promote", NAME, "--override", "to see it travel")
    return project


class TestLocalFolder:
    """What a clone beside the project has without any setting."""

    def test_a_clone_pulls_what_was_pushed_and_forecasts_the_same(self, origin):
        origin.dvc("push")
        clone = origin.clone(origin.folder.with_name("clone"))
        clone.dvc("pull")
        assert "up to date" in clone.dvc("status").stdout
        assert forecast(clone) == forecast(origin)
        assert int(forecast(clone).split()[0]) > 1000
        assert (origin.folder.parent / "fleet-models").is_dir()

    def test_without_a_pull_production_is_fetched_alone(self, origin):
        origin.dvc("push")
        clone = origin.clone(origin.folder.with_name("lazy"))
        told = json.loads(clone.kedro(*CARD).stdout)
        assert told["name"] == NAME
        assert not (clone.folder / STORE / "brain").exists()

    def test_a_changed_file_is_told_and_restored(self, origin, tmp_path):
        project = origin.copy(tmp_path / "copy")
        learnt = project.folder / STORE / "brain/learnt.json"
        learnt.chmod(0o644)
        learnt.write_bytes(learnt.read_bytes().replace(b"0", b"1", 1))
        told = project.kedro("fleet", "models").stdout
        assert "learnt.json" in " ".join(told.split())
        assert "dvc checkout" in " ".join(told.split())
        project.dvc("checkout", "--force")
        assert forecast(project) == forecast(origin)


@pytest.fixture(scope="module")
def log(tmp_path_factory) -> Path:
    """What the server writes down of every request."""
    return tmp_path_factory.mktemp("server") / "requests.log"


@pytest.fixture(scope="module")
def server(log) -> Iterator[S3Server]:
    with s3_server(log) as running:
        yield running


@pytest.fixture(scope="module")
def pushed(origin, server, tmp_path_factory) -> SmallProject:
    """A project that was pushed to S3, with its keys in the environment only."""
    project = origin.copy(tmp_path_factory.mktemp("pushed") / "project")
    project.dvc("remote", "add", "--default", "s3", f"s3://{BUCKET}/fleet")
    project.dvc("remote", "modify", "s3", "endpointurl", server.url)
    project.commit("Use S3")
    project.environ |= server.environ | {"AWS_EC2_METADATA_DISABLED": "true"}
    project.dvc("push")
    return project


@pytest.fixture
def clone(pushed, tmp_path) -> SmallProject:
    return pushed.clone(tmp_path / "clone")


class TestS3:
    def test_a_fresh_clone_pulls_and_forecasts_the_same(self, pushed, clone):
        said = clone.dvc("pull", "--verbose").stdout
        assert "up to date" in clone.dvc("status").stdout
        listed = clone.kedro("fleet", "models").stdout
        assert all(word in listed for word in (NAME, "v0.0.1", "prod", "btc-lstm"))
        assert forecast(clone) == forecast(pushed)
        assert clone.environ["AWS_SECRET_ACCESS_KEY"] not in said

    def test_a_fresh_clone_gives_the_same_signal(self, pushed, clone):
        clone.dvc("pull")
        told = json.loads(signal(clone))
        assert told["portfolio_allocation"]
        assert told == json.loads(signal(pushed))

    def test_production_is_fetched_alone(self, clone):
        assert json.loads(clone.kedro(*CARD).stdout)["name"] == NAME
        assert not (clone.folder / STORE / "brain").exists()

    def test_no_key_is_left_in_any_file(self, pushed, clone, server, log):
        said = clone.dvc("pull", "--verbose").stdout
        said += pushed.dvc("push", "--verbose").stdout
        for project in (pushed, clone):
            assert holds(project, f"s3://{BUCKET}/fleet")  # so this search finds
            assert not holds(project, server.secret)
            assert not holds(project, server.key)
        assert BUCKET in log.read_text()
        for told in (said, log.read_text()):
            assert server.secret not in told
            assert server.key not in told

    def test_keys_may_lie_in_conf_local_which_git_ignores(self, clone, server):
        keys = clone.folder / "conf/local/s3_credentials"
        keys.parent.mkdir(exist_ok=True)
        keys.write_text(
            f"[default]\naws_access_key_id = {server.key}\n"
            f"aws_secret_access_key = {server.secret}\n"
        )
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            del clone.environ[name]
        clone.dvc(
            *("remote", "modify", "--local", "s3"),
            *("credentialpath", "conf/local/s3_credentials"),
        )
        clone.dvc("pull", f"{STORE}/brain")
        assert (clone.folder / STORE / "brain/card.json").exists()
        assert clone.git("status", "--short") == ""


WRONG = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "no"}
NO_KEYS = dict.fromkeys(WRONG, "")
NO_BUCKET = ("remote", "modify", "--local", "s3", "url", "s3://no-such-bucket/fleet")
# A port where nobody listens.
NO_SERVER = ("remote", "modify", "--local", "s3", "endpointurl", "http://127.0.0.1:9")


class TestS3Errors:
    """One line that says what is wrong, and never a traceback or a key."""

    @pytest.mark.parametrize(
        ("environ", "setting", "words"),
        [
            (WRONG, (), "Forbidden"),
            (NO_KEYS, (), "Unable to locate credentials"),
            ({}, NO_BUCKET, "bucket does not exist"),
            ({}, NO_SERVER, "Could not connect to the endpoint"),
        ],
        ids=["wrong keys", "no keys", "no bucket", "no server"],
    )
    def test_what_is_wrong_is_told(self, clone, server, environ, setting, words):
        # An empty value would be taken for a key.
        clone.environ |= environ
        clone.environ = {k: v for k, v in clone.environ.items() if v}
        clone.environ["HOME"] = str(clone.folder.parent)
        if setting:
            clone.dvc(*setting)
        # Without a server, every file is tried several times: one is enough.
        files = [WINDOW] if setting == NO_SERVER else []
        pulled = clone.dvc("pull", *files, check=False)
        asked = clone.kedro(*CARD, check=False)
        for done in (pulled, asked):
            assert done.returncode != 0
            assert "Traceback" not in done.stdout
            assert server.secret not in done.stdout
        assert words in pulled.stdout
        assert asked.stdout.startswith(f"Error: {STORE}/brain as of commit ")
        assert "docs/remote.md" in asked.stdout
