import numpy as np
import pytest
import torch
from learning import share_of_attainable, walk_beside_zero

from fleet_kedro.models.forecasters.transformer import (
    FadingAttention,
    MultiHeadAttention,
    TransformerForecaster,
    TransformerNetwork,
    TransformerSettings,
    full_attention,
    sinusoids,
)

ROWS, HEADS, BARS, DEPTH = 3, 2, 6, 4


@pytest.fixture
def parts():
    """Queries, keys and values."""
    generator = torch.Generator().manual_seed(0)
    return torch.randn(3, ROWS, HEADS, BARS, DEPTH, generator=generator).unbind()


@pytest.fixture
def network():
    torch.manual_seed(0)
    network = TransformerNetwork(5, TransformerSettings(window_bars=BARS)).eval()
    torch.nn.init.normal_(network.head.weight)
    return network


class TestAgainstSlowReference:
    def test_full_attention_is_torchs(self, parts):
        expected = torch.nn.functional.scaled_dot_product_attention(*parts)

        torch.testing.assert_close(full_attention(*parts), expected)

    def test_fading_attention_one_query_at_a_time(self, parts):
        queries, keys, values = parts
        answer = FadingAttention(BARS, HEADS)(*parts)

        for head, slope in enumerate([1 / 2, 1 / 256]):
            for bar in range(BARS):
                seen = keys[:, head, : bar + 1]
                scores = torch.einsum("rd,rjd->rj", queries[:, head, bar], seen)
                distance = torch.arange(bar, -1, -1)
                weight = (scores / DEPTH**0.5 - slope * distance).softmax(dim=-1)
                expected = torch.einsum(
                    "rj,rjd->rd", weight, values[:, head, : bar + 1]
                )
                torch.testing.assert_close(answer[:, head, bar], expected)

    def test_heads_see_their_own_part_of_the_width(self):
        torch.manual_seed(0)
        attention = MultiHeadAttention(8, 2, full_attention)
        hidden = torch.randn(3, 5, 8)
        key, value = attention.key_and_value(hidden).chunk(2, dim=-1)
        query = attention.query(hidden)
        heads = [
            full_attention(*(part[:, None, :, span] for part in (query, key, value)))
            for span in (slice(0, 4), slice(4, 8))
        ]
        expected = attention.out(torch.cat(heads, dim=-1).squeeze(1))

        torch.testing.assert_close(attention(hidden, hidden), expected)

    def test_the_last_bar_alone_asks_as_it_would_among_all(self, network):
        hidden = torch.randn(ROWS, BARS, 24)
        layer = network.layers[-1]

        torch.testing.assert_close(layer(hidden, 1), layer(hidden)[:, -1:])

    def test_sinusoids(self):
        positions = sinusoids(3, 4)

        for bar in range(3):
            angles = [bar, bar / 100]
            expected = [f(a) for a in angles for f in (np.sin, np.cos)]
            np.testing.assert_allclose(positions[bar], expected, rtol=1e-6)


class TestProperties:
    def test_no_bar_hears_from_a_later_one(self, network):
        hidden = torch.randn(ROWS, BARS, 24)
        other = hidden.clone()
        other[:, 4:] = 7.0

        before, after = (network.layers[0](part) for part in (hidden, other))

        torch.testing.assert_close(before[:, :4], after[:, :4])
        assert not torch.allclose(before[:, 4:], after[:, 4:])

    def test_every_bar_of_the_window_is_heard(self, network):
        window = torch.randn(1, BARS, 5, requires_grad=True)

        (gradient,) = torch.autograd.grad(network(window).sum(), window)

        assert (gradient.abs().sum(dim=2) > 0).all()


@pytest.mark.slow
class TestLearning:
    @pytest.mark.parametrize("seed", [0, 1])
    def test_half_of_what_can_be_known_is_found(self, seed):
        forecaster = TransformerForecaster(TransformerSettings())

        assert (share_of_attainable(forecaster, seed) > 0.5).all()

    @pytest.mark.parametrize("seed", [1, 2])
    def test_on_a_random_walk_it_forecasts_next_to_nothing(self, seed):
        forecaster = TransformerForecaster(TransformerSettings())

        ratio = walk_beside_zero(forecaster, seed)

        np.testing.assert_allclose(ratio, 1.0, atol=0.005)


class TestErrors:
    def test_a_width_that_heads_cannot_share(self):
        with pytest.raises(ValueError, match="cannot be split among 4 heads"):
            MultiHeadAttention(10, 4, full_attention)
