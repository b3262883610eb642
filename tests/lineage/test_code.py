import textwrap

import pytest

from fleet_kedro.lineage.code import Code
from fleet_kedro.lineage.errors import LineageError

# A tiny package, file by file.
FILES = {
    "__init__.py": '"""Read ``models`` first."""\n\n__version__ = "1"\n',
    "config.py": "ROUNDS = 3\n",
    "models/__init__.py": '"""What learns."""\n',
    "models/tree.py": "from shop.config import ROUNDS\n",
    "models/net.py": "import numpy\n",
    "models/odd.py": "def fit():\n    from shop.late import helper\n    helper()\n",
    "experts/__init__.py": "from shop.experts.calm import Calm\n",
    "experts/calm.py": "class Calm: ...\n",
    "experts/wild.py": "class Wild: ...\n",
    "late.py": "def helper(): ...\n",
    "told/__init__.py": "",
    "told/page.py": "from shop.models import tree\n",
    "told/deep/__init__.py": "",
    "told/deep/line.py": "",
    "told/deep/word.py": "from shop.told.deep.line import *\n",
}


@pytest.fixture
def make_shop(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)

    def make(**changed: str) -> Code:
        for name, text in (FILES | changed).items():
            path = tmp_path / "shop" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text))
        return Code("shop", tmp_path / "shop")

    return make


@pytest.fixture
def shop(make_shop):
    return make_shop()


class TestNeeded:
    @pytest.mark.parametrize(
        ("root", "needed"),
        [
            ("shop.config", {"config"}),
            ("shop.models.tree", {"models.tree", "config"}),
            ("shop.told.page", {"told.page", "models.tree", "config"}),
            ("shop.told.deep.word", {"told.deep.word", "told.deep.line"}),
        ],
    )
    def test_it_is_what_is_imported_at_any_depth(self, shop, root, needed):
        assert shop.needed_by([root]) == {f"shop.{name}" for name in needed}

    def test_a_plain_value_counts_where_it_is_asked_for(self, make_shop):
        shop = make_shop(**{"late.py": "from shop import __version__\n"})
        needed = shop.needed_by(["shop.models.odd"])

        assert "shop" in needed
        assert "shop/__init__.py" in shop.paths(needed)

    def test_an_import_inside_a_function_counts(self, shop):
        assert "shop.late" in shop.needed_by(["shop.models.odd"])

    def test_a_package_that_imports_something_counts_for_all_in_it(self, shop):
        needed = shop.needed_by(["shop.experts.wild"])

        assert needed == {f"shop.experts{part}" for part in ("", ".calm", ".wild")}

    def test_nothing_outside_the_package_counts(self, shop):
        assert shop.needed_by(["shop.models.net"]) == {"shop.models.net"}

    @pytest.mark.parametrize(
        ("text", "counts"),
        [
            ('"""Only a text."""\n__all__ = ["a", "b"]\n', False),
            ("import json\n", True),
            ("SEED = draw()\n", True),
            ("def helper(): ...\n", True),
            ("if True:\n    SEED = 1\n", True),
        ],
    )
    def test_a_package_counts_if_it_does_anything(self, make_shop, text, counts):
        shop = make_shop(**{"models/__init__.py": text})

        assert ("shop.models" in shop.needed_by(["shop.models.net"])) == counts

    def test_a_missing_root_is_named(self, shop):
        with pytest.raises(LineageError, match=r"no module shop\.model\.tree"):
            shop.needed_by(["shop.model.tree"])


class TestPaths:
    def paths(self, shop, *modules):
        return shop.paths({f"shop.{module}" for module in modules})

    def test_a_module_is_its_file(self, shop):
        assert self.paths(shop, "late", "config") == ["shop/config.py", "shop/late.py"]

    def test_a_folder_stands_for_all_that_is_in_it(self, shop):
        paths = self.paths(shop, "models.tree", "models.net", "models.odd")

        assert paths == ["shop/models"]

    def test_a_folder_does_not_stand_for_a_part(self, shop):
        paths = self.paths(shop, "models.tree", "models.net")

        assert paths == ["shop/models/net.py", "shop/models/tree.py"]

    def test_folders_stand_for_folders_in_them(self, shop):
        deep = ("told.deep.line", "told.deep.word")

        assert self.paths(shop, *deep) == ["shop/told/deep"]
        assert self.paths(shop, *deep, "told.page") == ["shop/told"]

    def test_a_package_that_counts_alone_is_its_own_file(self, shop):
        paths = self.paths(shop, "experts", "experts.wild")

        assert paths == ["shop/experts/__init__.py", "shop/experts/wild.py"]

    def test_they_hold_all_that_is_asked_for_and_no_more(self, shop):
        everything = {
            name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
            for name in FILES
        } - {"__init__"}

        assert self.paths(shop, *everything) == ["shop"]
        assert self.paths(shop) == []
