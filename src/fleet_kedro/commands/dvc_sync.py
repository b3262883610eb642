"""``kedro fleet dvc-sync``: the stages of DVC, written from the pipelines."""

from collections.abc import Iterator
from contextlib import contextmanager
from difflib import unified_diff
from pathlib import Path
from tempfile import NamedTemporaryFile

import click

from fleet_kedro.commands.plain import project_folder
from fleet_kedro.lineage.errors import LineageError
from fleet_kedro.lineage.project import project_document

HELP = """Write dvc.yaml from pipelines, catalog, parameters and imports.

Every pipeline that leaves something to track is a stage: what it reads and leaves is
what its catalog entries say, what it depends on besides is the code that it runs
through, found by reading the imports, and the parameters of its nodes. What DVC needs
to know beyond that stands in the catalog, as `metadata: {dvc: ...}`.

Nothing is run, and a file that is in step is not touched. With --check nothing is
written, and the exit status is 1 if the file is out of step.

\b
  kedro fleet dvc-sync
  kedro fleet dvc-sync --check
"""

FILE = "dvc.yaml"


@click.command("dvc-sync", help=HELP, short_help="Write dvc.yaml from the pipelines.")
@click.option("--check", is_flag=True, help="Only tell the difference.")
def dvc_sync(*, check: bool) -> None:
    """Bring the file in step, or tell that it is not."""
    project = project_folder()
    file = project / FILE
    with _plainly():
        wanted = project_document(project)
    present = file.read_text(encoding="utf-8") if file.exists() else ""
    if present == wanted:
        click.echo(f"{FILE} is in step with the pipelines.")
        return
    click.echo(difference(present, wanted), nl=False)
    if check:
        raise click.ClickException(
            f"{FILE} is out of step with the pipelines; run `kedro fleet dvc-sync`."
        )
    _replace(file, wanted)
    click.echo(f"{FILE} is written. `dvc status` tells what has to run again.")


def difference(present: str, wanted: str) -> str:
    """Return what would change, as a unified diff."""
    lines = unified_diff(
        present.splitlines(keepends=True),
        wanted.splitlines(keepends=True),
        fromfile=FILE,
        tofile=f"{FILE} in step",
        n=2,
    )
    return "".join(lines)


@contextmanager
def _plainly() -> Iterator[None]:
    """Show what a user can mend as one sentence, without a traceback."""
    try:
        yield
    except LineageError as error:
        raise click.ClickException(str(error)) from error


def _replace(file: Path, text: str) -> None:
    """Put the new text in place as a whole, or leave the old one."""
    with NamedTemporaryFile(
        "w", encoding="utf-8", dir=file.parent, prefix=f".{FILE}.", delete=False
    ) as draft:
        draft.write(text)
    try:
        # A draft is its owner's alone; the file is everybody's to read.
        Path(draft.name).chmod(file.stat().st_mode if file.exists() else 0o644)
        Path(draft.name).replace(file)
    except OSError:
        Path(draft.name).unlink(missing_ok=True)
        raise
