import numpy as np
import pytest

from fleet_kedro.models.embedding import AssetEmbedding


def market(rows: int = 6000) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Five assets; the label follows the first input, of two assets the other way."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(rows, 4)).astype(np.float32)
    asset = rng.choice(list("ABCDE"), size=rows)
    sign = np.where(np.isin(asset, ["B", "E"]), -1.0, 1.0)
    y = rng.random(rows) < 1 / (1 + np.exp(-sign * X[:, 0]))
    return X, y, asset, np.ones(rows)


class TestKnownValues:
    def test_one_hot_has_a_column_for_each_asset(self) -> None:
        embedding = AssetEmbedding(kind="one_hot").fit(*market())
        code = embedding.code(np.array(["C", "A"]))
        np.testing.assert_array_equal(code, np.eye(5)[[2, 0]])

    def test_off_has_none(self) -> None:
        embedding = AssetEmbedding(kind="off").fit(*market())
        assert embedding.code(np.array(["A", "B"])).shape == (2, 0)

    def test_learned_tells_contrarian_assets_from_the_others(self) -> None:
        embedding = AssetEmbedding(kind="learned").fit(*market())
        first = embedding.code(np.array(list("ABCDE")))[:, 0]
        contrarian, others = first[[1, 4]], first[[0, 2, 3]]
        assert np.ptp(contrarian) < 0.5
        assert np.ptp(others) < 0.5
        assert abs(contrarian.mean() - others.mean()) > 1.5


class TestAgainstSlowReference:
    def test_an_answer_is_a_ridge_regression(self) -> None:
        X, y, asset, _ = market(400)
        weight = np.random.default_rng(1).random(400)
        z = (X - X.mean(axis=0, dtype=np.float64)) / X.std(axis=0, dtype=np.float64)
        answers = []
        for name in "ABCDE":
            own = asset == name
            share = np.diag(weight[own] / weight[own].sum())
            deviation = y[own] - np.trace(share * y[own])
            gram = z[own].T @ share @ z[own] + 0.5 * np.eye(4)
            answers.append(np.linalg.inv(gram) @ z[own].T @ share @ deviation)
        centred = np.array(answers) - np.mean(answers, axis=0)
        codes = AssetEmbedding(kind="learned", penalty=0.5).fit(X, y, asset, weight)
        projector = codes.codes_ @ codes.codes_.T / 5
        left = np.linalg.svd(centred)[0][:, :2]
        np.testing.assert_allclose(projector, left @ left.T, atol=1e-9)


class TestProperties:
    @pytest.mark.parametrize("kind", ["off", "one_hot", "learned"])
    def test_a_stranger_has_a_code_of_zeros(self, kind: str) -> None:
        embedding = AssetEmbedding(kind=kind).fit(*market())
        assert (embedding.code(np.array(["Z", "AA"])) == 0).all()

    def test_one_asset_alone_has_nothing_to_differ_from(self) -> None:
        X, y, asset, weight = market(100)
        embedding = AssetEmbedding(kind="learned").fit(
            X, y, np.full_like(asset, "A"), weight
        )
        assert embedding.width_ == 0

    def test_an_asset_without_weight_does_no_harm(self) -> None:
        X, y, asset, weight = market(500)
        weight[asset == "A"] = 0.0
        embedding = AssetEmbedding(kind="learned").fit(X, y, asset, weight)
        assert np.isfinite(embedding.codes_).all()

    def test_codes_have_a_mean_square_of_one(self) -> None:
        codes = AssetEmbedding(kind="learned").fit(*market()).codes_
        np.testing.assert_allclose((codes**2).mean(axis=0), 1.0)
