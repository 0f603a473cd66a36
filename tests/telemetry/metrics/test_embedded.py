"""Metrics in log lines."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firefork.aws.scope import Scope
from firefork.telemetry.metrics.embedded import embedded_metrics

HERE = Scope("000000000000", "us-east-1")
LINE = {
    "_aws": {
        "Timestamp": 1_790_000_000_123,
        "CloudWatchMetrics": [
            {
                "Namespace": "Shop",
                "Dimensions": [["service"], ["service", "stage"]],
                "Metrics": [{"Name": "orders", "Unit": "Count"}, {"Name": "latency", "StorageResolution": 1}],
            }
        ],
    },
    "service": "checkout",
    "stage": "prod",
    "orders": 3,
    "latency": [1, 2.5, 1],
}


def found(root):
    message = root if isinstance(root, str) else json.dumps(root)
    return list(embedded_metrics(HERE, message))


def without(*path, value=None):
    """The line with one thing taken away, or changed."""
    changed = json.loads(json.dumps(LINE))
    inner = changed
    for step in path[:-1]:
        inner = inner[step]
    if value is None:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return changed


class TestEmbeddedMetrics:
    def test_each_list_of_dimensions_gets_each_metric(self):
        (first, samples), (second, same) = found(LINE)
        assert (first.namespace, first.dimensions) == ("Shop", (("service", "checkout"),))
        assert second.dimensions == (("service", "checkout"), ("stage", "prod"))
        assert samples == same
        assert [(each.name, each.unit, each.resolution_s, each.values.total) for each in samples] == [
            ("orders", "Count", 10, 3),
            ("latency", "None", 1, 4.5),
        ]
        assert samples[0].time_s == 1_790_000_000.123
        assert samples[1].values.count == 3

    def test_a_line_may_have_no_dimensions(self):
        ((metric_set, _),) = found(without("_aws", "CloudWatchMetrics", 0, "Dimensions"))
        assert metric_set.dimensions == ()

    @pytest.mark.parametrize(
        "line",
        [
            "an ordinary line",
            '{"_aws": ',
            '["_aws"]',
            '{"_aws": 1}',
            without("_aws", "Timestamp"),
            without("_aws", "Timestamp", value="now"),
            without("_aws", "CloudWatchMetrics", value=5),
            without("_aws", "CloudWatchMetrics", 0, "Namespace"),
            without("_aws", "CloudWatchMetrics", 0, "Namespace", value="AWS/Lambda"),
            without("_aws", "CloudWatchMetrics", 0, "Metrics"),
            without("_aws", "CloudWatchMetrics", 0, "Metrics", value=[7, {"Name": 8}]),
            without("_aws", "CloudWatchMetrics", 0, "Dimensions", value=[["missing"]]),
            without("_aws", "CloudWatchMetrics", 0, "Dimensions", value=["service"]),
        ],
        ids=lambda line: line if isinstance(line, str) else json.dumps(line["_aws"])[:60],
    )
    def test_what_is_not_right_is_a_log_line_and_nothing_else(self, line):
        assert found(line) == []

    @pytest.mark.parametrize("value", ["3", None, True, [], [1, "2"], {"a": 1}, 1e200])
    def test_a_value_that_is_no_number_costs_only_its_metric(self, value):
        line = {**LINE, "orders": value}
        assert [sample.name for _, samples in found(line) for sample in samples] == ["latency", "latency"]

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(
                        ["Timestamp", "CloudWatchMetrics", "Namespace", "Dimensions", "Metrics", "Name", "a"]
                    ),
                    inner,
                    max_size=4,
                )
            ),
            max_leaves=12,
        )
    )
    def test_anything_may_stand_there(self, value):
        for _, samples in found({"_aws": value, "a": value}):
            assert samples
