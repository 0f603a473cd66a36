"""Pages of IAM's lists."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firefork.api.iam.paging import page
from firefork.aws.errors import ValidationError


def walk(items, size):
    found, request = [], {"MaxItems": size}
    while True:
        answer = page(request, "Names", items, lambda name: name, lambda name: name)
        found += answer["Names"]
        if not answer["IsTruncated"]:
            return found
        request = {"MaxItems": size, "Marker": answer["Marker"]}


class TestPages:
    @given(st.sets(st.text(max_size=6), max_size=20), st.integers(1, 7))
    def test_hold_everything_once_in_order(self, names, size):
        assert walk(list(names), size) == sorted(names)

    def test_what_goes_in_between_shifts_nothing(self):
        first = page({"MaxItems": 2}, "Names", ["a", "b", "c"], str, str)
        rest = page({"Marker": first["Marker"]}, "Names", ["c", "d"], str, str)
        assert (first["Names"], rest["Names"], rest["IsTruncated"]) == (["a", "b"], ["c", "d"], False)

    def test_a_made_up_marker_is_refused(self):
        with pytest.raises(ValidationError):
            page({"Marker": "é"}, "Names", [], str, str)
