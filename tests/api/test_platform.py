"""What a server decides from its options before it starts."""

import pytest

from firefork.api.platform import _iam_mode
from firefork.catalog.iam.identities import RoleMode
from firefork.settings import Settings


class TestIamMode:
    @pytest.mark.parametrize(
        ("host", "iam", "expected"),
        [
            ("127.0.0.1", None, RoleMode.RELAXED),
            ("localhost", None, RoleMode.RELAXED),
            ("::1", None, RoleMode.RELAXED),
            ("0.0.0.0", None, RoleMode.ENFORCE),
            ("lambda.example.org", None, RoleMode.ENFORCE),
            ("0.0.0.0", "relaxed", RoleMode.RELAXED),
            ("127.0.0.1", "enforce", RoleMode.ENFORCE),
        ],
    )
    def test_is_relaxed_on_loopback_only_unless_said(self, tmp_path, host, iam, expected):
        assert _iam_mode(Settings(data_dir=tmp_path, runtimes_dir=tmp_path, host=host, iam=iam)) is expected
