"""Passing name queries on: what is asked, and what is answered when nobody else answers."""

import pytest

from firefork.engine.sandbox.name_service import NameService, name_servers, server_failure


class TestNameServers:
    @pytest.mark.parametrize(
        ("text", "servers"),
        [
            ("nameserver 9.9.9.9\n", ["9.9.9.9"]),
            ("# nameserver 1.1.1.1\nsearch home.arpa\nnameserver 10.0.0.1 \nnameserver ::1\n", ["10.0.0.1", "::1"]),
            ("nameserver fe80::1%eth0\nnameserver name.example\n", ["fe80::1%eth0"]),
            ("nameserver 1.1.1.1\nnameserver 1.1.1.2\nnameserver 1.1.1.3\nnameserver 1.1.1.4\n",
             ["1.1.1.1", "1.1.1.2", "1.1.1.3"]),
            ("nameserver\noptions ndots:1\n", ["127.0.0.1"]),
            ("", ["127.0.0.1"]),
        ],
    )  # fmt: skip
    def test_are_those_that_a_resolver_would_ask(self, text, servers):
        """resolv.conf(5): three at most, the local machine's when none is named."""
        assert name_servers(text) == servers


class TestNameService:
    def test_reads_the_settings_again_when_they_changed(self, tmp_path):
        """A laptop changes networks while the server runs."""
        settings = tmp_path / "resolv.conf"
        service = NameService(settings)
        assert service.servers() == ["127.0.0.1"]
        settings.write_text("nameserver 192.0.2.1\n")
        assert service.servers() == ["192.0.2.1"]
        replacement = tmp_path / "new"
        replacement.write_text("nameserver 192.0.2.2\n")
        replacement.replace(settings)
        assert service.servers() == ["192.0.2.2"]


class TestServerFailure:
    def test_is_a_response_to_the_query(self):
        """RFC 1035, section 4.1.1: same identifier, opcode, RD and question; QR and RA set; RCODE 2."""
        question = b"\x07example\x00\x00\x01\x00\x01"
        query = b"\xab\xcd\x01\x20\x00\x01\x00\x00\x00\x00\x00\x00" + question
        assert server_failure(query) == b"\xab\xcd\x81\xa2\x00\x01\x00\x00\x00\x00\x00\x00" + question
