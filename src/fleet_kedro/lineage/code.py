"""Which modules a pipeline runs through, found without running it.

A module counts if it is imported, at any depth and also inside a function, by one that
counts, or if it is the package of one: Python runs ``a/__init__.py`` before ``a.b``.
Only an ``__init__.py`` that imports nothing, and holds nothing but texts and plain
values, may change unnoticed, as what it runs has no effect on any other module.
"""

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

import grimp

from fleet_kedro.lineage.errors import LineageError


class Code:
    """The modules of a package and what each of them imports.

    Parameters
    ----------
    package
        Its name; it need not have been imported.
    folder
        Where it lies.
    """

    def __init__(self, package: str, folder: Path) -> None:
        self._package = package
        self._folder = folder
        # No cache: it would lie in the project, and reading it all takes a tenth of a
        # second.
        self._graph = grimp.build_graph(package, cache_dir=None)
        self._inert = {
            module
            for module in self._graph.modules
            if self._is_package(module) and _has_no_effect(self._beside(module))
        }

    def needed_by(self, roots: Iterable[str]) -> set[str]:
        """Return the modules that running ``roots`` runs through, themselves included.

        Errors
        ------
        LineageError
            One of the roots is no module of the package.
        """
        waiting = list(roots)
        for root in waiting:
            if root not in self._graph.modules:
                raise LineageError(f"There is no module {root} in {self._folder}.")
        needed: set[str] = set()
        while waiting:
            module = waiting.pop()
            if module in needed:
                continue
            needed.add(module)
            waiting.extend(self._graph.find_modules_directly_imported_by(module))
            waiting.extend(set(_packages(module)) - self._inert)
        return needed

    def paths(self, modules: set[str]) -> list[str]:
        """Return files and folders that hold these modules and no others, sorted.

        A folder stands for all that is in it, if every module in it counts; relative
        to the folder that the package lies in. A package that may change unnoticed
        does not keep its folder from standing for the modules in it.
        """
        return sorted(self._cover(self._package, modules))

    def _cover(self, module: str, modules: set[str]) -> Iterator[str]:
        if not self._is_package(module):
            if module in modules:
                yield f"{_place(module)}.py"
            return
        within = self._graph.find_descendants(module) | {module}
        if within & modules and within - modules <= self._inert:
            yield _place(module)
            return
        if module in modules:
            yield f"{_place(module)}/__init__.py"
        for child in self._graph.find_children(module):
            yield from self._cover(child, modules)

    def _is_package(self, module: str) -> bool:
        return self._beside(module).is_file()

    def _beside(self, module: str) -> Path:
        """Return where a module's own file would lie, were it a package."""
        return self._folder.parent / _place(module) / "__init__.py"


def _place(module: str) -> str:
    return module.replace(".", "/")


def _packages(module: str) -> Iterator[str]:
    """Yield the packages that a module lies in, the outermost last."""
    while "." in module:
        module = module.rpartition(".")[0]
        yield module


def _has_no_effect(file: Path) -> bool:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return all(_is_plain(statement) for statement in tree.body)


def _is_plain(statement: ast.stmt) -> bool:
    """Whether a statement only states a text or names a plain value."""
    if isinstance(statement, ast.Expr | ast.Assign):
        return all(
            isinstance(part, ast.Constant | ast.List | ast.Tuple | ast.expr_context)
            for part in ast.walk(statement.value)
        )
    return False
