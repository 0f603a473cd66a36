"""Trace headers: what is taken from the caller's, what is made, which invokes are sampled."""

import re

import pytest

from firefork.engine.trace import SHARE, Sampler, trace_of, unsampled_header

ROOT, PARENT = "1-5759e988-bd862e3fe1be46a994272793", "53995c3f42cd8ad8"


def never():
    raise AssertionError("the header has the decision")


class TestTraceOf:
    def test_a_callers_trace_goes_on_below_a_segment_of_the_function(self):
        trace = trace_of(f"Root={ROOT};Parent={PARENT};Sampled=1;Lineage=1:fe460cdd:0", never)
        assert re.fullmatch(r"[0-9a-f]{16}", trace.segment_id)
        assert trace.segment_id != PARENT
        assert trace.header == f"Root={ROOT};Parent={trace.segment_id};Sampled=1;Lineage=1:fe460cdd:0"
        assert trace.record == {
            "spanId": trace.segment_id,
            "type": "X-Amzn-Trace-Id",
            "value": f"Root={ROOT};Parent={PARENT};Sampled=1;Lineage=1:fe460cdd:0",
        }

    @pytest.mark.parametrize(("given", "sampled"), [("1", True), ("0", False)])
    def test_the_callers_decision_counts(self, given, sampled):
        assert trace_of(f"Root={ROOT};Sampled={given}", never).sampled is sampled

    @pytest.mark.parametrize("header", [None, "", f"Root={ROOT}", f"Root={ROOT};Sampled=?", "nonsense", ";;="])
    @pytest.mark.parametrize("wanted", [True, False])
    def test_without_one_the_sampler_decides(self, header, wanted):
        assert trace_of(header, lambda: wanted).sampled is wanted

    @pytest.mark.parametrize("header", [None, "Root=1-x-y;Parent=z", "Root=\r\nX: y", "Self=1-5759e988-0"])
    def test_what_is_no_trace_is_replaced(self, header):
        pattern = r"Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=1"
        trace = trace_of(header, lambda: True)
        assert re.fullmatch(pattern, trace.header)
        assert re.fullmatch(pattern, trace.record["value"])

    def test_an_unsampled_one_has_the_same_form(self):
        assert re.fullmatch(r"Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0", unsampled_header())


class TestSampler:
    def test_takes_the_first_of_each_second_and_a_share_of_the_others(self):
        chances = [SHARE, SHARE - 0.001, 0.9]
        sampler = Sampler(lambda: chances.pop(0))
        times = [10.0, 10.1, 10.2, 10.9, 11.0]
        assert [sampler.wants("f", now_s) for now_s in times] == [True, False, True, False, True]
        assert chances == []

    def test_functions_do_not_share_their_second(self):
        sampler = Sampler(lambda: 1.0)
        assert [sampler.wants(name, 5.0) for name in "aba"] == [True, True, False]
        sampler.forget("a")
        assert sampler.wants("a", 5.0)
