"""What benchmarks print: ratios the right way round, requests that count, failures that do not."""

import json
from pathlib import Path

import pytest
from botocore.credentials import Credentials

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture
def measurement(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import measurement

    return measurement


@pytest.fixture
def raw_client(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import raw_client

    return raw_client


class TestFigure:
    def test_twice_as_fast_is_two_for_times_and_for_rates(self, measurement):
        named = {"claim": "c", "unit": "u", "peer_name": "p"}
        assert measurement.Figure(ours=5, peer=10, **named).times_better == 2
        assert measurement.Figure(ours=10, peer=5, higher_is_better=True, **named).times_better == 2

    def test_json_is_for_programs(self, measurement, capsys):
        figure = measurement.Figure(claim="c", ours=1.23456, peer=2, unit="ms", peer_name="p", reach="r")
        measurement.show([figure], as_json=True)
        assert json.loads(capsys.readouterr().out) == [
            {
                "claim": "c",
                "ours": 1.235,
                "peer": 2,
                "unit": "ms",
                "peer_name": "p",
                "times_better": 1.62,
                "reach": "r",
            }
        ]


class TestRawClient:
    @pytest.fixture
    def request_for(self, raw_client, server):
        def prepare(function, body=b"{}", secret=None):
            key, right = server.keys()
            url = f"{server.endpoint}/2015-03-31/functions/{function.name}/invocations"
            return raw_client.prepare(url, body, Credentials(key, secret or right))

        return prepare

    def test_invokes_with_a_signature_that_is_verified(self, raw_client, server, make_function, request_for):
        function = make_function("def handler(event, context):\n    return event\n")
        connection = raw_client.Connection(server.endpoint)
        answer = connection.exchange(request_for(function, b'{"a": 1}'))
        assert (answer.status, answer.body, answer.failed) == (200, b'{"a": 1}', False)
        assert connection.exchange(request_for(function, secret="wrong")).status == 403
        assert connection.time_ms(request_for(function)) > 0
        connection.close()

    def test_a_failed_invoke_is_no_figure(self, raw_client, server, make_function, request_for):
        """Errors are fast: they must never count."""
        function = make_function("def handler(event, context):\n    raise ValueError\n")
        connection = raw_client.Connection(server.endpoint)
        with pytest.raises(RuntimeError, match="the invoke failed"):
            connection.time_ms(request_for(function))
        connection.close()

    def test_many_connections_at_once_and_kept_busy(self, raw_client, server, make_function, request_for):
        """Every answer is counted once."""
        source = "count = 0\ndef handler(event, context):\n    global count\n    count += 1\n    return count\n"
        function = make_function(source)
        request = request_for(function)
        connections = [raw_client.Connection(server.endpoint) for _ in range(2)]
        assert raw_client.all_at_once([(connection, request) for connection in connections]) > 0
        assert raw_client.saturate(connections, request, 10) > 0
        starts = sum(message.startswith("START ") for message in function.messages())
        assert starts == 12
        for connection in connections:
            connection.close()
