"""What queries make of log lines."""

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firefork.telemetry.insights import pipeline as pipeline_module
from firefork.telemetry.insights.parser import parse
from firefork.telemetry.insights.pipeline import Pipeline, QueryTooLarge
from firefork.telemetry.insights.rows import Row, discovered
from firefork.telemetry.insights.values import Moment, as_text
from firefork.telemetry.regular_expression import ExpressionTooSlow

REPORT = (
    "REPORT RequestId: 3f1a6d7e-0c55-4b42-9a35-0d6c5b5f6a11\tDuration: 12.34 ms\tBilled Duration: 13 ms\t"
    "Memory Size: 128 MB\tMax Memory Used: 40 MB\tInit Duration: 101.50 ms\t\n"
    "XRAY TraceId: 1-5e34a614-10bdbd5e\tSegmentId: 07f5c8\tSampled: true\n"
)


def rows(messages, *, step_ms=1000):
    for index, message in enumerate(messages):
        made = {"@timestamp": Moment(1_764_000_000_000 + index * step_ms), "@message": message}
        yield Row(made, lambda message=message: discovered(message))


def run(query, messages, **options):
    """The result as a list of rows, each a list of texts in the order of the columns."""
    pipeline = Pipeline.of(parse(query))
    return [[as_text(row.get(name)) for name in pipeline.columns] for row in pipeline.run(rows(messages, **options))]


class TestDiscoveredFields:
    def test_of_a_report(self):
        assert discovered(REPORT) == {
            "@type": "REPORT",
            "@requestId": "3f1a6d7e-0c55-4b42-9a35-0d6c5b5f6a11",
            "@duration": 12.34,
            "@billedDuration": 13.0,
            "@memorySize": 128_000_000,
            "@maxMemoryUsed": 40_000_000,
            "@initDuration": 101.5,
            "@xrayTraceId": "1-5e34a614-10bdbd5e",
            "@xraySegmentId": "07f5c8",
        }

    def test_of_the_runtimes_lines(self):
        request = "3f1a6d7e-0c55-4b42-9a35-0d6c5b5f6a11"
        assert discovered(f"[INFO]\t2026-11-25T10:00:00.000Z\t{request}\thello\n")["@requestId"] == request
        assert discovered("plain words\n") == {}

    def test_of_the_first_json_object(self):
        line = (
            'noise {no} {"level": "INFO", "ok": true, "a": {"b": [1, {"c": "x"}]}, "@user": "u", "none": null} {"z": 1}'
        )
        assert discovered(line) == {"level": "INFO", "ok": 1, "a.b.0": 1, "a.b.1.c": "x", "@@user": "u"}

    def test_no_more_than_two_hundred(self):
        assert len(discovered("{" + ",".join(f'"f{index}": 1' for index in range(300)) + "}")) == 200


class TestCommands:
    def test_fields_and_display(self):
        assert run("fields a, a * 2 as twice | display twice", ['{"a": 4}']) == [["8"]]
        assert run("limit 1", ["x", "y"]) == [["2025-11-24 16:00:00.000", "x"]]

    def test_filter(self):
        lines = ['{"n": 5, "s": "Error: x"}', '{"n": 15, "s": "fine"}', "no json"]
        assert run("fields n | filter n > 9", lines) == [["15"]]
        assert run("fields n | filter s like /(?i)ERROR/ or n = 15", lines) == [["5"], ["15"]]
        assert run("fields n | filter s not like 'Error' and ispresent(n)", lines) == [["15"]]
        assert run("fields n | filter n in [5, '6']", lines) == [["5"]]
        assert run("fields n | filter n not in [5]", lines) == [["15"], [""]]

    def test_numbers_in_text_compare_as_numbers(self):
        assert run("parse @message 'took *ms' as ms | filter ms > 9 | fields ms", ["took 10ms", "took 8ms"]) == [["10"]]

    def test_parse_by_glob_and_by_expression(self):
        lines = ["user=ann, method:GET, latency := 12", "nothing"]
        query = (
            "parse @message 'user=*, method:*, latency := *' as @user, @method, @latency "
            "| fields @user, @method, @latency"
        )
        assert run(query, lines) == [["ann", "GET", "12"], ["", "", ""]]
        query = r"parse @message /method:(?<verb>[A-Z]+).*:= (?<ms>\d+)/ | filter ispresent(verb) | fields verb, ms"
        assert run(query, lines) == [["GET", "12"]]

    def test_sort_mixes_numbers_text_and_nothing(self):
        lines = ['{"v": "b"}', '{"v": 10}', "none", '{"v": 9}', '{"v": "a"}']
        assert run("fields v | sort v", lines) == [["9"], ["10"], ["a"], ["b"], [""]]
        assert run("fields v | sort v desc", lines) == [["b"], ["a"], ["10"], ["9"], [""]]
        assert run("fields v | sort v desc | limit 2", lines) == [["b"], ["a"]]

    def test_dedup_keeps_the_first_and_rows_without_the_field(self):
        lines = ['{"k": 1, "n": 1}', '{"k": 1, "n": 2}', '{"k": 2, "n": 3}', "-", "-"]
        assert run("fields n | dedup k", lines) == [["1"], ["3"], [""], [""]]

    def test_functions(self):
        query = "fields abs(-3), ceil(1.2), floor(1.8), greatest(1, 5, 3), least(2, 1), sqrt(9), 7 % 4, 1 / 0"
        assert run(query, ["-"]) == [["3", "2", "1", "5", "1", "3", "3", ""]]
        query = (
            "fields trim('  a '), ltrim('xxa', 'x'), strlen('é'), toupper('a'), substr('xyZfooxyZ', 3, 3), "
            "replace('foo', 'o', '0'), strcontains('abc', 'b'), concat('a', 1), coalesce(none, 'c'), isblank(' ')"
        )
        assert run(query, ["-"]) == [["a", "a", "1", "A", "foo", "f00", "1", "a1", "c", "1"]]
        assert run("fields isIpv4InSubnet('10.0.0.9', '10.0.0.0/24'), isValidIp('x')", ["-"]) == [["1", "0"]]


class TestStats:
    def test_of_reports(self):
        lines = [REPORT, REPORT.replace("12.34", "100.00"), "START RequestId: a Version: 1\n"]
        query = (
            'filter @type = "REPORT" | stats count(*) as calls, max(@duration), avg(@duration), '
            "max(@maxMemoryUsed / 1000 / 1000) as mb, sum(@billedDuration) / count(*) as billed"
        )
        assert run(query, lines) == [["2", "100", "56.17", "40", "13"]]

    def test_groups_by_time_and_field(self):
        lines = ['{"s": "a"}', '{"s": "b"}', '{"s": "a"}']
        assert run("stats count() as n by bin(2s), s | sort n desc", lines) == [
            ["2025-11-24 16:00:00.000", "a", "1"],
            ["2025-11-24 16:00:00.000", "b", "1"],
            ["2025-11-24 16:00:02.000", "a", "1"],
        ]

    def test_twice(self):
        lines = ['{"s": "a"}', '{"s": "b"}', '{"s": "a"}']
        assert run("stats count() as n by s | stats max(n) as most, count(*) as groups", lines) == [["2", "2"]]

    def test_of_nothing(self):
        assert run("stats count(*), sum(x), avg(x), pct(x, 50)", []) == [["0", "", "", ""]]
        assert run("stats count(*) by s", []) == []

    def test_count_of_a_field_counts_where_it_is(self):
        assert run("stats count(a), count_distinct(b)", ['{"a": 1, "b": 1}', '{"b": 1}', '{"b": 2}']) == [["1", "2"]]

    def test_edges_in_time(self):
        lines = ['{"v": 3}', '{"v": 1}', '{"v": 2}']
        assert run("stats earliest(v), latest(v), sortsFirst(v), sortsLast(v)", lines) == [["3", "2", "1", "3"]]

    @given(st.lists(st.integers(-1000, 1000), min_size=2, max_size=50))
    def test_numbers_as_the_standard_library_has_them(self, numbers):
        lines = [f'{{"v": {number}}}' for number in numbers]
        ((total, average, deviation, median, highest),) = run(
            "stats sum(v), avg(v), stddev(v), median(v), pct(v, 100)", lines
        )
        assert int(total) == sum(numbers)
        assert float(average) == pytest.approx(statistics.fmean(numbers), abs=1e-4)
        assert float(deviation) == pytest.approx(statistics.pstdev(numbers), abs=1e-4)
        assert float(median) == pytest.approx(statistics.median(numbers), abs=1e-4)
        assert int(highest) == max(numbers)


class TestBounds:
    def test_a_limit_ends_the_reading(self):
        read = []
        source = (read.append(row) or row for row in rows(["x"] * 100))
        assert len(list(Pipeline.of(parse("limit 3")).run(source))) == 3
        assert len(read) <= 4

    @pytest.mark.parametrize(
        "query", ["dedup n", "stats count(*) by n", "sort n | stats count(*)", "sort n | filter n > 1"]
    )
    def test_no_command_holds_without_end(self, query, monkeypatch):
        monkeypatch.setattr(pipeline_module, "KEPT_LIMIT", 10)
        with pytest.raises(QueryTooLarge):
            run(query, [f'{{"n": {number}}}' for number in range(11)])

    def test_an_expression_that_never_ends_is_given_up(self):
        with pytest.raises(ExpressionTooSlow):
            run("filter @message like /^(a|a)*$/", ["a" * 60 + "b"])
