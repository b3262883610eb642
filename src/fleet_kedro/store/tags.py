"""The tags of GTO in a git repository, one writer at a time.

GTO 1.10 names a version ``btc-lstm@v0.0.2`` and the second time it comes into a stage
``btc-lstm#prod#2``, and orders tags by their moment, which git keeps to the second.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout
from gto.base import Artifact
from gto.constants import VersionSort, name_re
from gto.exceptions import GTOException
from gto.registry import GitRegistry
from gto.tag import parse_name
from scmrepo.exceptions import SCMError
from scmrepo.git import Git

from fleet_kedro.store.errors import StoreError
from fleet_kedro.store.history import Assignment, Record, Version

_PATIENCE_SECONDS = 30
_MOST_SECONDS_AHEAD = 5


class Tags:
    """Versions and stages of models, as the tags of a repository tell them."""

    def __init__(self, registry: GitRegistry) -> None:
        self._registry = registry
        self.scm: Git = registry.scm

    def commit(self) -> str:
        """Return the current commit."""
        return str(self.scm.get_rev())

    def names(self) -> list[str]:
        """Name every model that has a version."""
        found = self._registry.get_state().artifacts
        return sorted(name for name, artifact in found.items() if artifact.is_active)

    def versions(self, name: str) -> list[Version]:
        """Return the versions of a model, oldest first."""
        artifact = self._artifact(name)
        staged = artifact.get_vstages(sort=VersionSort.Timestamp)
        return [
            Version(
                model=name,
                version=found.version,
                commit=found.commit_hexsha,
                created_at=found.created_at,
                author=found.author,
                record=Record.read(found.message),
                stages=tuple(
                    sorted(
                        stage
                        for stage, (newest, *_) in staged.items()
                        if newest.version == found.version
                    )
                ),
            )
            for found in artifact.get_versions(ascending=True)
        ]

    def assignments(self, name: str, stage: str) -> list[Assignment]:
        """Return every time that a version came into a stage, in no order."""
        return [
            Assignment(
                version=found.version,
                created_at=event.created_at,
                counter=parse_name(event.tag).get("counter", 0),
                record=Record.read(event.message),
            )
            for found in self._artifact(name).get_versions(include_non_explicit=True)
            for event in getattr(found.stages.get(stage), "assignments", [])
        ]

    def check_stage(self, stage: str) -> None:
        """Refuse a stage that GTO does not take, or ``.gto`` does not list.

        Raises
        ------
        StoreError
            Names the stage.
        """
        listed: list[str] | None = self._registry.config.stages
        if listed is not None and stage not in listed:
            raise StoreError(f"{stage!r} is no stage; .gto lists {', '.join(listed)}.")
        if not name_re.fullmatch(stage):
            raise StoreError(
                f"{stage!r} can be no stage; write letters, digits, - and _."
            )

    def register(self, name: str, message: str) -> str:
        """Give the current commit the next version of a model; return it."""
        made = self._registry.register(name, "HEAD", message=message, simple=True)
        return made.version

    def assign(self, name: str, version: str, stage: str, message: str) -> None:
        """Bring a version into a stage, once more if it was there before."""
        self._wait_for_a_later_second(name)
        self._registry.assign(name, stage, version=version, message=message, force=True)

    def _artifact(self, name: str) -> Artifact:
        return self._registry.find_artifact(name, create_new=True)

    def _wait_for_a_later_second(self, name: str) -> None:
        """Let the order of tags be the order of what was done."""
        moments = [e.created_at.timestamp() for e in self._artifact(name).get_events()]
        ahead = max(moments, default=0.0) + 1 - time.time()
        if ahead > _MOST_SECONDS_AHEAD:
            raise StoreError(
                f"The newest tag of {name} lies {ahead:.0f} s in the future, and a new "
                "one would count as older. Set this machine's clock."
            )
        time.sleep(max(ahead, 0.0))


@contextmanager
def reading_tags(project: Path) -> Iterator[Tags]:
    """Open the tags of the repository that a folder lies in.

    Raises
    ------
    StoreError
        If there is no repository, or what git and GTO refuse.
    """
    try:
        scm = Git(str(project))
    except SCMError as error:
        raise StoreError(
            f"{project} lies in no git repository, whose tags are the registry of "
            "models. Make one with `git init` and commit."
        ) from error
    try:
        with GitRegistry.from_scm(scm) as registry:
            yield Tags(registry)
    except (GTOException, SCMError) as error:
        raise StoreError(f"Git refuses: {error}".strip()) from error
    finally:
        scm.close()  # type: ignore[no-untyped-call]  # scmrepo tells no type


@contextmanager
def writing_tags(project: Path) -> Iterator[Tags]:
    """Open them as the only writer; another one waits, and then sees what was done.

    Raises
    ------
    StoreError
        If another writer keeps busy, or what git and GTO refuse.
    """
    with reading_tags(project) as tags:
        lock = FileLock(
            _shared_git_folder(tags.scm) / "model-registry.lock",
            timeout=_PATIENCE_SECONDS,
        )
        try:
            lock.acquire()
        except Timeout as error:
            raise StoreError(
                f"Another promotion has been under way for {_PATIENCE_SECONDS} s; "
                "look at its outcome with `kedro fleet models`, then try again."
            ) from error
        try:
            yield tags
        finally:
            lock.release()


def _shared_git_folder(scm: Git) -> Path:
    """Return the folder of git that all working trees of a repository share."""
    own = Path(scm.dir)
    common = own / "commondir"
    if not common.is_file():
        return own
    return (own / common.read_text(encoding="utf-8").strip()).resolve()
