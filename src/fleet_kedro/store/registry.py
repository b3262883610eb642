"""Versions and stages of models: register, promote, roll back, list.

A version is a git tag on the commit whose ``dvc.lock`` holds the model; a stage is a
tag on the commit of the version that serves in it. Nothing is ever deleted: going back
is one more tag. Tags are made here and pushed by ``git push --tags``, where the second
of two machines that promoted at the same time is refused.
"""

from pathlib import Path
from typing import NamedTuple

from fleet_kedro.store.card import ModelCard
from fleet_kedro.store.card_page import metric_words
from fleet_kedro.store.committed import is_as_committed, place_in
from fleet_kedro.store.errors import StoreError
from fleet_kedro.store.history import (
    Action,
    Record,
    VerdictWord,
    Version,
    reason_given,
    version_before,
)
from fleet_kedro.store.requirements import objections
from fleet_kedro.store.shelf import OnShelf
from fleet_kedro.store.tags import Tags, reading_tags, writing_tags

PRODUCTION = "prod"


class Promotion(NamedTuple):
    """What a promotion did.

    ``replaced`` served before. Without ``is_tracked``, DVC does not know the files, and
    only this machine has them. ``objections`` were overridden.
    """

    version: str
    stage: str
    replaced: str | None
    is_tracked: bool
    objections: tuple[str, ...]


class Rollback(NamedTuple):
    """Which version serves again, and which one did until now."""

    version: str
    replaced: str


class ModelRegistry:
    """The registry of the project in a folder that lies in a git repository."""

    def __init__(self, project: Path) -> None:
        self.project = project

    def names(self) -> list[str]:
        """Name every model that has a version."""
        with reading_tags(self.project) as tags:
            return tags.names()

    def versions(self, name: str) -> list[Version]:
        """Return the versions of a model, oldest first."""
        with reading_tags(self.project) as tags:
            return tags.versions(name)

    def in_stage(self, name: str, stage: str = PRODUCTION) -> Version | None:
        """Return the version that serves in a stage."""
        with reading_tags(self.project) as tags:
            return _in_stage(tags.versions(name), stage)

    def register(self, found: OnShelf) -> Version:
        """Make a version of a model; one that is there already stays the only one.

        Raises
        ------
        StoreError
            If the model is not the committed one, or its commit has another version.
        """
        with writing_tags(self.project) as tags:
            is_as_committed(tags.scm, self.project, found.folder)
            return self._registered(tags, found)

    def promote(
        self, found: OnShelf, stage: str = PRODUCTION, override: str | None = None
    ) -> Promotion:
        """Let a model serve in a stage, and register it where it is no version yet.

        Raises
        ------
        StoreError
            If its card is not complete or its verdict does not pass, unless a reason
            for overriding is given; if it is not the committed one; if it serves there
            already.
        """
        told = objections(found.model.card)
        reason = _reason(found.model.card.name, told, override)
        with writing_tags(self.project) as tags:
            tags.check_stage(stage)
            is_tracked = is_as_committed(tags.scm, self.project, found.folder)
            version = self._registered(tags, found)
            serving = _in_stage(tags.versions(version.model), stage)
            if serving is not None and serving.version == version.version:
                raise StoreError(
                    f"{version.model} {version.version} is in {stage} already; another "
                    "promotion may have been faster."
                )
            record = self._record("promotion", found).model_copy(
                update={"objections": told, "override": reason}
            )
            title = f"Promote {version.model} {version.version} to {stage}"
            tags.assign(version.model, version.version, stage, record.message(title))
        replaced = None if serving is None else serving.version
        return Promotion(version.version, stage, replaced, is_tracked, told)

    def rollback(self, name: str, stage: str = PRODUCTION) -> Rollback:
        """Let the version serve again that did before the one that does now.

        Raises
        ------
        StoreError
            If nothing serves there, or nothing did before.
        """
        with writing_tags(self.project) as tags:
            serving = _in_stage(tags.versions(name), stage)
            if serving is None:
                raise StoreError(f"No version of {name} is in {stage}.")
            earlier = version_before(tags.assignments(name, stage))
            if earlier is None:
                raise StoreError(
                    f"{name} {serving.version} is the only version that was ever in "
                    f"{stage}, or the first: there is nothing to go back to."
                )
            title = f"Roll {name} back to {earlier} in {stage}, from {serving.version}"
            message = Record(action="rollback").message(title)
            tags.assign(name, earlier, stage, message)
        return Rollback(version=earlier, replaced=serving.version)

    def _registered(self, tags: Tags, found: OnShelf) -> Version:
        """Return the version of this very model, made now if there is none."""
        name, digest = found.model.card.name, found.model.digest
        versions = tags.versions(name)
        known = _of_digest(versions, digest)
        if known is not None:
            return known
        commit = tags.commit()
        for other in versions:
            if other.commit == commit:
                raise StoreError(
                    f"This commit is {name} {other.version} already, with other files. "
                    "Commit the new dvc.lock first."
                )
        record = self._record("registration", found)
        made = tags.register(name, record.message(f"Register {name}"))
        return next(v for v in tags.versions(name) if v.version == made)

    def _record(self, action: Action, found: OnShelf) -> Record:
        """Put what a list of versions tells into the tag."""
        card = found.model.card
        folder = place_in(self.project, found.folder)
        return Record(
            action=action,
            digest=found.model.digest,
            folder=folder.as_posix(),
            verdict=verdict_word(card),
            metrics=tuple(metric_words(metric) for metric in card.metrics),
            size_bytes=card.size_bytes,
        )


def verdict_word(card: ModelCard) -> VerdictWord:
    """Say the verdict in a word."""
    if card.verdict is None:
        return "none"
    return "pass" if card.verdict.passed else "fail"


def _reason(name: str, told: tuple[str, ...], override: str | None) -> str | None:
    """Return why a promotion may go ahead; None where it needs no reason."""
    reason = None if override is None else reason_given(override)
    if told and reason is None:
        raise StoreError(
            f"{name} is not promoted: {'; '.join(told)}. "
            'Mend that, or give a reason with --override "…".'
        )
    return reason


def _in_stage(versions: list[Version], stage: str) -> Version | None:
    return next((v for v in versions if stage in v.stages), None)


def _of_digest(versions: list[Version], digest: str) -> Version | None:
    """Return the newest version of a content."""
    same = [v for v in versions if v.record is not None and v.record.digest == digest]
    return same[-1] if same else None
