import numpy as np
import pytest
import torch
from learning import share_of_attainable, walk_beside_zero
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from fleet_kedro.models.forecasters.informer import (
    Distilling,
    InformerForecaster,
    InformerNetwork,
    InformerSettings,
    ProbSparseAttention,
)
from fleet_kedro.models.forecasters.transformer import full_attention, sinusoids

ROWS, HEADS, BARS, DEPTH = 3, 2, 24, 4
EVERY_QUERY = 100.0


def random_parts(n_bars: int = BARS):
    """Queries, keys and values."""
    generator = torch.Generator().manual_seed(0)
    return torch.randn(3, ROWS, HEADS, n_bars, DEPTH, generator=generator).unbind()


@pytest.fixture
def network():
    torch.manual_seed(0)
    settings = InformerSettings(window_bars=40, start_bars=8)
    network = InformerNetwork(5, (1, 12), settings).eval()
    nn.init.normal_(network.head[1].weight)
    return network


class TestProbSparseAttention:
    def test_with_every_query_it_is_full_attention(self):
        parts = random_parts()

        answer = ProbSparseAttention(BARS, EVERY_QUERY)(*parts)

        torch.testing.assert_close(answer, full_attention(*parts))

    def test_with_every_query_and_a_mask_it_is_causal_attention(self):
        parts = random_parts()
        attention = ProbSparseAttention(BARS, EVERY_QUERY, is_causal=True)

        expected = nn.functional.scaled_dot_product_attention(*parts, is_causal=True)

        torch.testing.assert_close(attention(*parts), expected)

    def test_the_most_particular_queries_ask_and_the_others_take_the_mean(self):
        queries, keys, values = random_parts()
        attention = ProbSparseAttention(BARS, 2.0)
        answer = attention(queries, keys, values)
        full = full_attention(queries, keys, values)

        # 2 ⌈ln 24⌉ of them.
        assert attention.n_asking == 8
        for row in range(ROWS):
            for head in range(HEADS):
                preference = []
                for query in queries[row, head]:
                    scores = keys[row, head, attention.sample] @ query / DEPTH**0.5
                    preference.append(float(scores.max() - scores.mean()))
                asking = set(np.argsort(preference)[-8:].tolist())
                for bar in range(BARS):
                    expected = (
                        full[row, head, bar]
                        if bar in asking
                        else values[row, head].mean(dim=0)
                    )
                    torch.testing.assert_close(answer[row, head, bar], expected)

    def test_with_a_mask_no_value_reaches_an_earlier_bar(self):
        queries, keys, values = random_parts()
        attention = ProbSparseAttention(BARS, 2.0, is_causal=True)
        later = values.clone()
        later[:, :, 15:] = 9.0

        before, after = (attention(queries, keys, part) for part in (values, later))

        torch.testing.assert_close(before[:, :, :15], after[:, :, :15])
        assert not torch.allclose(before[:, :, 15:], after[:, :, 15:])

    def test_a_row_does_not_depend_on_its_neighbours(self):
        parts = random_parts()
        attention = ProbSparseAttention(BARS, 2.0)

        alone = attention(*(part[1:2] for part in parts))

        torch.testing.assert_close(attention(*parts)[1:2], alone)

    def test_nothing_is_drawn_when_it_is_asked(self):
        attention = ProbSparseAttention(BARS, 2.0)
        parts = random_parts()
        answers = []
        for seed in (1, 2):
            with torch.random.fork_rng():
                torch.manual_seed(seed)
                answers.append(attention(*parts))

        assert torch.equal(*answers)

    def test_the_cost_grows_as_the_bars_times_their_logarithm(self):
        costs = {}
        for n_bars in (168, 336, 672, 1344):
            attention = ProbSparseAttention(n_bars, 5.0)
            with FlopCounterMode(display=False) as counter:
                attention(*random_parts(n_bars))
            # L sampled products of U, and u queries with L keys and L values.
            n_asking = 5 * int(np.ceil(np.log(n_bars)))
            expected = 3 * 2 * ROWS * HEADS * n_bars * n_asking * DEPTH
            assert counter.get_total_flops() == expected
            costs[n_bars] = counter.get_total_flops() / (n_bars * np.log(n_bars))

        assert max(costs.values()) < 1.25 * min(costs.values())


class TestNetwork:
    @pytest.mark.parametrize(("n_bars", "n_left"), [(168, 84), (7, 4), (8, 4)])
    def test_distilling_keeps_the_strongest_of_three(self, n_bars, n_left):
        torch.manual_seed(0)
        distilling = Distilling(6)
        hidden = torch.randn(2, n_bars, 6)

        halved = distilling(hidden)

        response = nn.functional.elu(distilling.convolution(hidden.mT)).mT
        assert halved.shape == (2, n_left, 6)
        for place in range(n_left):
            around = response[:, max(2 * place - 1, 0) : 2 * place + 2]
            torch.testing.assert_close(halved[:, place], around.amax(dim=1))

    def test_the_decoder_starts_from_the_last_bars_and_an_empty_place_a_horizon(
        self, network
    ):
        given = []
        network.decoder.register_forward_pre_hook(lambda *step: given.append(step[1]))
        window = torch.randn(3, 40, 5)

        answer = network(window)

        ((start, _, n_ahead),) = given
        known = network.embedding(window.mT).mT + sinusoids(40, 24)
        torch.testing.assert_close(start[:, :8], known[:, -8:])
        # One hour and twelve after bar 39, and nothing else is known of them.
        empty = sinusoids(52, 24)[[40, 51]].expand(3, -1, -1)
        torch.testing.assert_close(start[:, 8:], empty)
        assert n_ahead == 2
        assert answer.shape == (3, 2)
        assert not torch.allclose(answer[:, 0], answer[:, 1])

    def test_the_encoder_hands_on_half_of_the_bars(self, network):
        seen = []
        network.encoder.register_forward_hook(lambda *step: seen.append(step[-1]))

        network(torch.randn(3, 40, 5))

        assert [encoded.shape for encoded in seen] == [(3, 20, 24)]

    def test_every_bar_of_the_window_is_heard(self, network):
        window = torch.randn(1, 40, 5, requires_grad=True)

        (gradient,) = torch.autograd.grad(network(window).sum(), window)

        assert (gradient.abs().sum(dim=2) > 0).all()


@pytest.mark.slow
class TestLearning:
    def test_half_of_what_can_be_known_is_found(self):
        """A week of bars takes more rows to tell what matters: two years of them."""
        forecaster = InformerForecaster(InformerSettings())

        share = share_of_attainable(forecaster, 0, n_bars=20_000)

        assert (share > 0.5).all()

    @pytest.mark.parametrize("seed", [1, 2])
    def test_on_a_random_walk_it_forecasts_next_to_nothing(self, seed):
        ratio = walk_beside_zero(InformerForecaster(InformerSettings()), seed)

        np.testing.assert_allclose(ratio, 1.0, atol=0.005)
