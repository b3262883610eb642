"""What every file of a model must be, to the byte, and the version of the layout."""

import hashlib
from collections.abc import Mapping
from typing import Final, Literal

from pydantic import Field, ValidationError
from pydantic_core import from_json

from fleet_kedro.config import Config
from fleet_kedro.store.canonical import readable
from fleet_kedro.store.card import Sha256
from fleet_kedro.store.errors import StoreError
from fleet_kedro.store.formats import CHECKSUMS

FORMAT: Final = "fleet_kedro.store/1"
REMEDY = "Restore it with `dvc checkout`, or train the model again."


class FileSum(Config):
    """Length and SHA-256 of a file."""

    sha256: Sha256
    size: int = Field(ge=0)


class Checksums(Config):
    """Every file of a model but this one."""

    format: Literal["fleet_kedro.store/1"] = FORMAT
    files: dict[str, FileSum]

    @classmethod
    def of(cls, contents: Mapping[str, bytes]) -> "Checksums":
        """Take the sums of files."""
        return cls(
            files={
                name: FileSum(sha256=sha256(content), size=len(content))
                for name, content in contents.items()
            }
        )

    @classmethod
    def read(cls, content: bytes, where: object) -> "Checksums":
        """Read what `written` gave, and nothing else.

        Raises
        ------
        StoreError
            If the layout is of another version, or the file was changed.
        """
        _check_version(content, where)
        try:
            sums = cls.model_validate_json(content)
        except ValidationError as error:
            reason = error.errors()[0]["msg"]
            raise StoreError(
                f"{where}: {CHECKSUMS} is damaged ({reason}). {REMEDY}"
            ) from error
        if sums.written() != content:
            raise StoreError(f"{where}: {CHECKSUMS} was changed. {REMEDY}")
        return sums

    def written(self) -> bytes:
        """Write it; equal sums give equal bytes."""
        return readable(self.model_dump(mode="json"))

    def check(self, contents: Mapping[str, bytes], where: object) -> None:
        """Hold files against their sums.

        Raises
        ------
        StoreError
            Names the first file that is missing, foreign or changed.
        """
        for name in sorted(self.files.keys() - contents.keys()):
            raise StoreError(f"{where}: {name} is missing. {REMEDY}")
        for name in sorted(contents.keys() - self.files.keys()):
            raise StoreError(
                f"{where}: {name} is no part of this model. Move it elsewhere."
            )
        for name, expected in sorted(self.files.items()):
            found = contents[name]
            if len(found) != expected.size:
                raise StoreError(
                    f"{where}: {name} has {len(found):,} bytes instead of "
                    f"{expected.size:,}. {REMEDY}"
                )
            if sha256(found) != expected.sha256:
                raise StoreError(f"{where}: a byte of {name} was changed. {REMEDY}")


def sha256(content: bytes) -> str:
    """Return the SHA-256 of bytes as 64 hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def _check_version(content: bytes, where: object) -> None:
    """Tell another version of the layout from damage: their remedies differ."""
    try:
        told = from_json(content)
    except ValueError as error:
        raise StoreError(f"{where}: {CHECKSUMS} is damaged. {REMEDY}") from error
    version = told.get("format") if isinstance(told, dict) else None
    if version != FORMAT:
        raise StoreError(
            f"{where}: {CHECKSUMS} says format {version!r}, this program reads "
            f"{FORMAT!r}. Train the model again, or use the program that wrote it."
        )
