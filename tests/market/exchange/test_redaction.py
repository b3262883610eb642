import logging

import pytest

from fleet_kedro.market.exchange.redaction import Redacting, redact

KEY = "MARKED-KEY-51c0"


class TestKnownValues:
    @pytest.mark.parametrize(
        "text",
        [
            f"binance GET https://api.binance.com/x?symbol=BTC&signature={KEY}&a=1",
            f"headers {{'X-MBX-APIKEY': '{KEY}', 'Accept': 'json'}}",
            f"https://user:{KEY}@mirror.example/api/v3/klines",
            f'{{"apiKey": "{KEY}"}}',
            f"secret={KEY}",
            f"ACCESS-SIGN: {KEY}",
        ],
    )
    def test_what_looks_like_a_key_is_hidden(self, text):
        assert KEY not in redact(text)

    def test_a_known_secret_is_hidden_wherever_it_stands(self):
        assert redact(f"odd{KEY}place", [KEY, ""]) == "odd***place"

    def test_the_rest_stays(self):
        text = "binance GET https://api.binance.com/api/v3/klines?symbol=BTCUSDT 429"
        assert redact(text) == text


def test_a_logger_tells_no_secret(caplog):
    logger = logging.getLogger("a logger of its own")
    logger.addFilter(Redacting([KEY]))

    with caplog.at_level(logging.DEBUG, logger=logger.name):
        logger.debug("%s %s", "GET", {"X-MBX-APIKEY": KEY})

    assert caplog.messages == ["GET {'X-MBX-APIKEY': '***'}"]
