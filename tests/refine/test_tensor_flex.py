"""The refiner against its definition, and what it must keep and drop."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from sklearn.utils.estimator_checks import check_estimator
from threadpoolctl import threadpool_limits

from fleet_kedro.refine.moments import LinkMoments, Moments
from fleet_kedro.refine.tensor_flex import TensorFlexRefiner

_spec = importlib.util.spec_from_file_location(
    "dense_reference", Path(__file__).with_name("dense_reference.py")
)
dense_reference = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(dense_reference)

N_ROWS, N_BLOCKS = 4_000, 8
BLOCK = np.arange(N_ROWS) * N_BLOCKS // N_ROWS


def market(n_features=60, n_drivers=12, seed=4):
    """Columns that follow a few drivers, and a label that two of them move."""
    rng = np.random.default_rng(seed)
    drivers = rng.standard_normal((N_ROWS, n_drivers))
    drivers[:, -1] += 0.8 * drivers[:, 0]
    mixing = 2.0 * np.eye(n_drivers)[rng.integers(0, n_drivers, n_features)]
    mixing += 0.2 * rng.standard_normal((n_features, n_drivers))
    columns = drivers @ mixing.T + 0.5 * rng.standard_normal((N_ROWS, n_features))
    columns = columns * rng.uniform(0.1, 30.0, n_features) + rng.uniform(
        -9, 9, n_features
    )
    label = 0.2 * drivers[:, 0] - 0.1 * drivers[:, n_drivers // 2]
    label = label + rng.standard_normal(N_ROWS)
    return columns, label


def planted(seed=0, n_noise=20):
    """Column 0 is faint but steady, column 1 strong but flips; the rest is noise."""
    rng = np.random.default_rng(seed)
    columns = rng.standard_normal((N_ROWS, 2 + n_noise))
    flip = np.where(BLOCK % 2 == 0, 1.0, -1.0)
    label = 0.12 * columns[:, 0] + 0.6 * flip * columns[:, 1]
    return columns, label + rng.standard_normal(N_ROWS)


def sums(columns, label, block=BLOCK):
    """Moments of all rows and link moments of each block."""
    links = [LinkMoments.of(columns[block == b], label[block == b]) for b in set(block)]
    return Moments.of(columns, label), links


class TestAgainstSlowReference:
    @pytest.mark.parametrize("seed", range(4))
    @pytest.mark.parametrize("n_neighbours", [0, 3])
    def test_latents_equal_those_computed_on_stacked_rows(self, seed, n_neighbours):
        columns, label = market(seed=seed)
        refiner = TensorFlexRefiner(
            n_latents=10, max_cluster_size=8, n_neighbours=n_neighbours
        )
        latents = refiner.fit_transform(columns, label)
        expected = dense_reference.dense_latents(
            columns, label, BLOCK, refiner.get_params()
        )
        assert refiner.latents_["is_residual"].any() == (n_neighbours > 0)
        np.testing.assert_allclose(latents, expected, atol=1e-7)

    def test_rows_and_their_sums_give_the_same_bytes(self):
        columns, label = market()
        dense = TensorFlexRefiner().fit(columns, label, time_block=BLOCK)
        from_sums = TensorFlexRefiner().fit_moments(*sums(columns, label))
        assert dense.projection_.tobytes() == from_sums.projection_.tobytes()
        assert dense.offset_.tobytes() == from_sums.offset_.tobytes()
        assert dense.latents_.equals(from_sums.latents_)


class TestPlantedStructure:
    @pytest.mark.parametrize("seed", range(5))
    def test_a_faint_steady_signal_is_kept_and_a_strong_flipping_one_dropped(
        self, seed
    ):
        columns, label = planted(seed)
        refiner = TensorFlexRefiner(n_latents=5, max_cluster_size=1, variance_kept=1.0)
        refiner.fit(columns, label, time_block=BLOCK)
        feeding = refiner.latents_["cluster"].tolist()
        assert feeding[0] == 0
        assert 1 not in feeding
        assert refiner.latents_.loc[0, "is_stable"]
        assert abs(np.corrcoef(columns[:, 1], label)[0, 1]) < 0.1
        first = np.abs(np.corrcoef(columns[:500, 1], label[:500])[0, 1])
        assert first > 0.4

    def test_a_shared_driver_that_flips_is_taken_out_of_a_steady_part(self):
        rng = np.random.default_rng(0)
        flip = np.where(BLOCK % 2 == 0, 1.0, -1.0)
        driver, steady = rng.standard_normal((2, N_ROWS))
        columns = np.column_stack([driver + 0.7 * steady, driver])
        columns = columns + 0.01 * rng.standard_normal(columns.shape)
        noise = rng.standard_normal(N_ROWS)
        label = 0.3 * steady + 0.5 * flip * driver + noise
        refiner = TensorFlexRefiner(max_cluster_size=1, n_neighbours=1, n_latents=1)
        latent = refiner.fit(columns, label, time_block=BLOCK).transform(columns)[:, 0]
        assert refiner.latents_.loc[0, "is_residual"]
        assert np.corrcoef(latent, steady)[0, 1] > 0.99

    def test_copies_are_not_both_kept(self):
        columns, label = planted()
        rng = np.random.default_rng(1)
        copies = columns[:, [0]] * [-3.0, 1.0] + 0.05 * rng.standard_normal((N_ROWS, 2))
        columns = np.hstack([columns, copies])
        refiner = TensorFlexRefiner(n_latents=10, max_cluster_size=1, n_neighbours=0)
        latents = refiner.fit_transform(columns, label, time_block=BLOCK)
        overlap = np.abs(np.corrcoef(latents, rowvar=False)) - np.eye(10)
        assert overlap.max() <= 0.95
        assert len({0, 22, 23} & set(refiner.latents_["cluster"])) == 1

    def test_unstable_latents_fill_up_last_and_say_so(self):
        columns, label = planted(n_noise=3)
        refiner = TensorFlexRefiner(max_cluster_size=1, min_agreement=1.0)
        table = refiner.fit(columns, label, time_block=BLOCK).latents_
        assert refiner.n_latents_ == 5
        stable = table["is_stable"].to_numpy()
        assert stable[0]
        assert not stable[-1]
        assert (np.diff(stable.astype(int)) <= 0).all()
        assert (table["agreement"][stable] == 1.0).all()


class TestProperties:
    def test_latents_have_mean_zero_variance_one_and_a_positive_link(self):
        columns, label = market()
        refiner = TensorFlexRefiner(max_cluster_size=8)
        latents = refiner.fit_transform(columns, label, time_block=BLOCK)
        np.testing.assert_allclose(latents.mean(axis=0), 0.0, atol=1e-9)
        np.testing.assert_allclose(latents.std(axis=0), 1.0, atol=1e-9)
        assert (refiner.latents_["link"] >= 0).all()
        links = [
            latents[rows].T @ (label[rows] - label[rows].mean()) / label[rows].std()
            for rows in (block == BLOCK for block in range(N_BLOCKS))
        ]
        expected = np.mean(links, axis=0) / (N_ROWS // N_BLOCKS)
        np.testing.assert_allclose(refiner.latents_["link"], expected, atol=1e-9)

    def test_the_order_of_assets_does_not_matter(self):
        columns, label = market()
        parts = [slice(0, 900), slice(900, 2_500), slice(2_500, N_ROWS)]
        moments = [Moments.of(columns[part], label[part]) for part in parts]
        _, links = sums(columns, label)
        there = TensorFlexRefiner(max_cluster_size=8).fit_moments(
            moments[0] + moments[1] + moments[2], links
        )
        back = TensorFlexRefiner(max_cluster_size=8).fit_moments(
            moments[2] + moments[1] + moments[0], links
        )
        np.testing.assert_allclose(there.projection_, back.projection_, atol=1e-9)

    def test_rows_outside_the_sums_change_nothing(self):
        columns, label = market()
        past = BLOCK < 6
        early = TensorFlexRefiner().fit(columns[past], label[past])
        future = columns.copy()
        future[~past] *= -50.0
        late = TensorFlexRefiner().fit_moments(
            *sums(future[past], label[past], BLOCK[past])
        )
        expected = early.fit(columns[past], label[past], time_block=BLOCK[past])
        assert late.projection_.tobytes() == expected.projection_.tobytes()

    def test_the_scale_of_a_column_does_not_matter(self):
        columns, label = market()
        factor = np.random.default_rng(0).uniform(0.01, 100.0, columns.shape[1])
        plain = TensorFlexRefiner(max_cluster_size=8).fit_transform(columns, label)
        scaled = TensorFlexRefiner(max_cluster_size=8).fit_transform(
            columns * factor + 3.0, label
        )
        np.testing.assert_allclose(plain, scaled, atol=1e-6)

    def test_threads_change_no_byte(self):
        columns, label = market(n_features=300)
        results = []
        for n_threads in (1, 2):
            with threadpool_limits(n_threads, user_api="blas"):
                refiner = TensorFlexRefiner().fit(columns, label)
                results.append(refiner.transform(columns).tobytes())
        assert results[0] == results[1]

    def test_a_constant_column_has_no_weight(self):
        columns, label = market()
        columns[:, 7] = 0.3
        refiner = TensorFlexRefiner(max_cluster_size=8).fit(columns, label)
        assert refiner.cluster_labels_[7] == -1
        assert not refiner.projection_[7].any()

    def test_few_columns_give_as_many_latents_as_there_are_candidates(self):
        columns, label = planted(n_noise=0)
        refiner = TensorFlexRefiner(variance_kept=1.0).fit(columns, label)
        assert refiner.n_latents_ == 2
        assert list(refiner.get_feature_names_out()) == ["latent_00", "latent_01"]

    def test_float32_rows_give_float32_latents(self):
        columns, label = market()
        narrow = columns.astype(np.float32)
        latents = TensorFlexRefiner().fit_transform(columns, label)
        actual = TensorFlexRefiner().fit(columns, label).transform(narrow)
        assert actual.dtype == np.float32
        np.testing.assert_allclose(actual, latents, atol=1e-3)

    def test_scikit_learn_accepts_it(self):
        check_estimator(
            TensorFlexRefiner(),
            expected_failed_checks={
                "check_do_not_raise_errors_in_init_or_set_params": (
                    "annotations are enforced during tests, so nonsense is refused"
                ),
                "check_estimators_nan_inf": (
                    "its ten labels are sorted by class, so that no two time blocks "
                    "have a label that varies; refusing NaN is tested below"
                ),
            },
            on_skip=None,
        )


class TestLoadings:
    def test_shares_of_a_latent_add_up_and_name_who_feeds_it(self):
        columns, label = planted()
        columns[:, 0] *= 1e-3
        names = [f"column_{k}" for k in range(columns.shape[1])]
        families = ["faint", "flipping", *["noise"] * (columns.shape[1] - 2)]
        refiner = TensorFlexRefiner(max_cluster_size=1, n_neighbours=0, n_latents=4)
        table = refiner.fit(columns, label, time_block=BLOCK).loadings(names, families)
        first = table[table["latent"] == "latent_00"]
        assert first.to_dict("records") == [
            {
                "latent": "latent_00",
                "family": "faint",
                "share": pytest.approx(1.0),
                "strongest_feature": "column_0",
            }
        ]
        np.testing.assert_allclose(table.groupby("latent")["share"].sum(), 1.0)

    def test_a_mixed_latent_lists_its_families_by_share(self):
        columns, label = market(n_features=6, n_drivers=1)
        names, families = list("abcdef"), ["x", "y", "x", "y", "z", "z"]
        refiner = TensorFlexRefiner(n_latents=1).fit(columns, label)
        table = refiner.loadings(names, families)
        weight = (refiner.projection_[:, 0] * refiner.scale_) ** 2
        share = weight / weight.sum()
        assert (np.diff(table["share"]) <= 0).all()
        assert len(table) == 3
        for row in table.to_dict("records"):
            own = [k for k in range(6) if families[k] == row["family"]]
            assert row["share"] == pytest.approx(share[own].sum())
            best = max(own, key=lambda k: share[k])
            assert row["strongest_feature"] == names[best]


class TestErrors:
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("n_latents", 0),
            ("max_cluster_size", 0),
            ("n_neighbours", -1),
            ("n_time_blocks", 1),
            ("variance_kept", 0.0),
            ("min_agreement", 1.5),
            ("max_latent_correlation", np.nan),
        ],
    )
    def test_a_parameter_out_of_range_is_named(self, name, value):
        columns, label = planted()
        with pytest.raises(ValueError, match=f"{name} is {value}"):
            TensorFlexRefiner(**{name: value}).fit(columns, label)

    @pytest.mark.parametrize("bad", [np.nan, np.inf])
    def test_missing_and_infinite_values_are_refused(self, bad):
        columns, label = planted()
        refiner = TensorFlexRefiner().fit(columns, label)
        columns[3, 1] = bad
        with pytest.raises(ValueError, match=r"contains (NaN|infinity)"):
            refiner.transform(columns)
        with pytest.raises(ValueError, match=r"contains (NaN|infinity)"):
            TensorFlexRefiner().fit(columns, label)

    def test_constant_columns_only(self):
        with pytest.raises(ValueError, match="All 3 columns are constant"):
            TensorFlexRefiner().fit(np.ones((50, 3)), np.arange(50.0))
