"""Passing name queries on: what is asked, and what is answered when nobody else answers."""

import asyncio
import socket
from types import SimpleNamespace

import pytest

from firefork.engine.sandbox import name_service
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


class TestFlood:
    async def test_costs_its_sender_answers(self, tmp_path, monkeypatch):
        """An environment gets so many answers a second and no more, and is served again later."""
        now_s = 0.0
        monkeypatch.setattr(name_service, "time", SimpleNamespace(monotonic=lambda: now_s))
        monkeypatch.setattr(name_service, "QUERIES_PER_S", 40)
        loop = asyncio.get_running_loop()
        settings = tmp_path / "resolv.conf"
        settings.write_text("nameserver 127.93.17.1\n")  # nobody there: every answer is SERVFAIL, at once
        datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        datagrams.bind(("127.0.0.1", 0))
        asker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        asker.connect(datagrams.getsockname())
        asker.setblocking(False)
        end = NameService(settings).attach(datagrams, socket.create_server(("127.0.0.1", 0)))

        async def answers(count):
            async with asyncio.timeout(20):
                return {(await loop.sock_recv(asker, 512))[1] for _ in range(count)}

        for number in range(60):
            query = bytes([0, number]) + b"\1\0\0\1\0\0\0\0\0\0" + b"\x07example\0\0\1\0\1"
            await loop.sock_sendall(asker, query)
        assert await answers(40) == set(range(40))
        with pytest.raises(TimeoutError):  # the clock stands still
            async with asyncio.timeout(0.5):
                await loop.sock_recv(asker, 512)
        now_s = 0.5
        assert await answers(20) == set(range(40, 60))
        end()
        asker.close()


class TestServerFailure:
    def test_is_a_response_to_the_query(self):
        """RFC 1035, section 4.1.1: same identifier, opcode, RD and question; QR and RA set; RCODE 2."""
        question = b"\x07example\x00\x00\x01\x00\x01"
        query = b"\xab\xcd\x01\x20\x00\x01\x00\x00\x00\x00\x00\x00" + question
        assert server_failure(query) == b"\xab\xcd\x81\xa2\x00\x01\x00\x00\x00\x00\x00\x00" + question
