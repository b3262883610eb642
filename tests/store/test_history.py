from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet_kedro.store.errors import StoreError
from fleet_kedro.store.history import Assignment, Record, reason_given, version_before

START = datetime(2024, 1, 1, tzinfo=UTC)


def assigned(moves: list[str]) -> list[Assignment]:
    """Make assignments of words such as ``v1``, or ``back v1`` for a rollback."""
    return [
        Assignment(
            version=move.removeprefix("back "),
            created_at=START + timedelta(seconds=number),
            counter=number + 1,
            record=Record(action="rollback") if move.startswith("back") else None,
        )
        for number, move in enumerate(moves)
    ]


class TestVersionBefore:
    @pytest.mark.parametrize(
        ("moves", "expected"),
        [
            ([], None),
            (["v1"], None),
            (["v1", "v1"], None),
            (["v1", "v2"], "v1"),
            (["v1", "v2", "back v1"], None),
            (["v1", "v2", "v3", "back v2"], "v1"),
            (["v1", "v2", "back v1", "v3"], "v1"),
            (["v1", "v2", "v1"], "v2"),
            (["v2", "v1", "v3", "back v1", "back v2"], None),
            (["back v1", "v2"], "v1"),
        ],
    )
    def test_known_histories(self, moves, expected):
        assert version_before(assigned(moves)) == expected

    def test_the_order_is_that_of_the_moments_not_of_the_list(self):
        moves = assigned(["v1", "v2", "v3"])
        assert version_before(reversed(moves)) == "v2"

    def test_within_a_second_the_counter_decides(self):
        tenth = Assignment("v10", START, 10, None)
        ninth = Assignment("v9", START, 9, None)
        assert version_before([tenth, ninth]) == "v9"

    @given(st.lists(st.integers(0, 4), max_size=30))
    def test_it_undoes_promotions_as_a_pile_does(self, draws):
        pile: list[int] = []
        moves = []
        for draw in draws:
            if draw == 0 and len(pile) > 1:
                pile.pop()
                moves.append(f"back v{pile[-1]}")
            elif draw and draw not in pile:
                pile.append(draw)
                moves.append(f"v{draw}")
        expected = f"v{pile[-2]}" if len(pile) > 1 else None
        assert version_before(assigned(moves)) == expected


class TestRecord:
    @given(text=st.text(), reason=st.text(min_size=1))
    def test_it_is_found_again_whatever_was_written_before(self, text, reason):
        record = Record(action="promotion", override=reason, size_bytes=3)
        assert Record.read(record.message(f"Promote {text}")) == record

    @pytest.mark.parametrize(
        "message", ["", "by hand", "{}", '{"action": "theft"}', "[" * 100_000]
    )
    def test_a_message_without_one_has_none(self, message):
        assert Record.read(message) is None


class TestReason:
    def test_it_is_one_line(self):
        assert reason_given(" paper\n trading  only ") == "paper trading only"

    @pytest.mark.parametrize("text", ["", " \n"])
    def test_none_is_refused(self, text):
        with pytest.raises(StoreError, match="needs a reason"):
            reason_given(text)
