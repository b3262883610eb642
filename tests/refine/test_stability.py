"""Links with the label, block by block, and how they are summed up."""

import numpy as np
import pytest

from fleet_kedro.refine.moments import LinkMoments
from fleet_kedro.refine.stability import BlockLinks, LinkScore


def equal_blocks(*link):
    """Blocks of equal size; one list of links a candidate."""
    links = np.array(link, dtype=float).T
    return BlockLinks(links, np.full(len(links), 1.0 / len(links)))


class TestKnownValues:
    def test_a_link_is_the_covariance_over_the_labels_deviation(self):
        rng = np.random.default_rng(0)
        parts = [
            (rng.standard_normal((n, 2)), rng.standard_normal(n)) for n in (30, 90)
        ]
        links = BlockLinks.of([LinkMoments.of(*part) for part in parts])
        np.testing.assert_allclose(links.share, [0.25, 0.75])
        for row, (z, y) in zip(links.link, parts, strict=True):
            covariance = ((z - z.mean(axis=0)) * (y - y.mean())[:, None]).mean(axis=0)
            np.testing.assert_allclose(row, covariance / y.std(), atol=1e-12)

    def test_equal_blocks_give_the_plain_mean_and_deviation(self):
        link = [0.1, 0.3, -0.1, 0.2]
        score = LinkScore.of(equal_blocks(link))
        assert score.mean == pytest.approx([np.mean(link)])
        assert score.deviation == pytest.approx([np.std(link, ddof=1)])
        assert score.agreement == pytest.approx([0.75])
        assert score.effective_blocks == pytest.approx(4.0)

    def test_without_a_usual_deviation_strength_is_a_t_statistic(self):
        link = [0.1, 0.3, -0.1, 0.2]
        expected = np.mean(link) / (np.std(link, ddof=1) / 2.0)
        score = LinkScore.of(equal_blocks(link))
        assert score.strength(0.0) == pytest.approx([expected])
        assert score.strength(0.5)[0] < expected

    def test_a_sign_that_flips_is_weaker_than_a_faint_steady_one(self):
        score = LinkScore.of(equal_blocks([0.5, -0.5] * 3, [0.05, 0.06] * 3))
        strength = score.strength(0.02)
        assert strength[0] == 0.0
        assert strength[1] > 2.0


class TestProperties:
    def test_a_drift_of_the_block_means_is_no_link(self):
        rng = np.random.default_rng(1)
        blocks = [rng.standard_normal((4_000, 2)) + level for level in (-5.0, 0.0, 5.0)]
        links = BlockLinks.of([LinkMoments.of(b[:, :1], b[:, 1]) for b in blocks])
        stacked = np.vstack(blocks)
        assert np.corrcoef(stacked, rowvar=False)[0, 1] > 0.9
        assert np.abs(links.link).max() < 0.06

    def test_a_small_block_counts_for_little(self):
        links = BlockLinks(
            np.array([[0.1], [0.1], [-9.0]]), np.array([0.5, 0.49, 0.01])
        )
        score = LinkScore.of(links)
        assert score.mean[0] == pytest.approx(0.99 * 0.1 - 0.01 * 9.0)
        assert score.agreement[0] == pytest.approx(0.99)
        even = LinkScore.of(BlockLinks(links.link, np.full(3, 1 / 3)))
        assert even.mean[0] < -2.0
        assert even.agreement[0] == pytest.approx(1 / 3)

    def test_blocks_whose_label_never_varies_are_left_out(self):
        rng = np.random.default_rng(2)
        z = rng.standard_normal((20, 3))
        block = LinkMoments.of(z, rng.standard_normal(20))
        flat = LinkMoments.of(z, np.full(20, 0.1))
        links = BlockLinks.of([block, flat, LinkMoments.zero(3), block])
        assert links.link.shape == (2, 3)


class TestErrors:
    def test_one_block_cannot_tell_stability(self):
        z = np.random.default_rng(0).standard_normal((20, 3))
        block = LinkMoments.of(z, z[:, 0])
        with pytest.raises(
            ValueError, match="1 of 2 time blocks have a label that var"
        ):
            BlockLinks.of([block, LinkMoments.zero(3)])
