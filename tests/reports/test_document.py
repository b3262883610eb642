import plotly.graph_objects as go
import pytest
from plotly.subplots import make_subplots

from fleet_kedro.reports.backtest_tables import span
from fleet_kedro.reports.document import document, figure_block
from fleet_kedro.reports.figures.theme import blank_figure
from fleet_kedro.reports.markup import section
from fleet_kedro.reports.units import percent


class TestContents:
    def test_every_section_is_linked_in_its_order_behind_the_header(self):
        body = "<header><h1>Title</h1></header>" + "".join(
            section(name, title) for name, title in [("b", "Second <b>"), ("a", "One")]
        )
        page = document(body, "Title")
        links = '<a href="#b">Second &lt;b&gt;</a>\n<a href="#a">One</a>'

        assert f"<nav>\n{links}\n</nav>\n</header>" in page
        assert page.count("<nav>") == 1


class TestRoom:
    @pytest.mark.parametrize(("traces", "is_roomy"), [(8, False), (9, True)])
    def test_a_long_legend_needs_room(self, traces, is_roomy):
        figure = blank_figure("Title", "How to read it", 300)
        for _ in range(traces):
            figure.add_scatter(x=[0], y=[0])

        assert ('class="roomy"' in figure_block("name", figure)) == is_roomy

    def test_panels_side_by_side_need_room(self):
        figure = make_subplots(cols=2, figure=blank_figure("Title", "Reading", 300))

        assert 'class="roomy"' in figure_block("name", figure)

    def test_fields_with_numbers_need_room(self):
        figure = blank_figure("Title", "Reading", 300).add_trace(go.Heatmap(z=[[1]]))

        assert 'class="roomy"' in figure_block("name", figure)


class TestSpan:
    def test_an_interval_without_width_is_not_written(self):
        row = {"x_low": 0.25, "x_high": 0.25 + 1e-12, "y_low": 0.2, "y_high": 0.3}

        assert span(row, "x", percent) == ""
        assert span(row, "y", percent) == "[20.0%, 30.0%]"
        assert span(row, "z", percent) == ""
