"""Serving the front door over HTTP: on the public address, and on a listener inside each environment."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator
from typing import Any

import uvicorn

from firefork.engine.sandbox.sandbox import Sandbox


class _Server(uvicorn.Server):
    """uvicorn without signal handlers: stopping is the platform's decision."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class HttpServer:
    """One ASGI application on many sockets."""

    def __init__(self, app: Any) -> None:
        self._config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_keep_alive=75,
            timeout_graceful_shutdown=5,
            server_header=False,
            date_header=True,
            h11_max_incomplete_event_size=1 << 20,
        )
        self._server = _Server(self._config)
        self._serving: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[object]] = set()

    async def start(self, listener: socket.socket) -> None:
        """Begin to serve on a bound and listening socket."""
        self._serving = asyncio.create_task(self._server.serve(sockets=[listener]))
        while not self._server.started and not self._serving.done():
            await asyncio.sleep(0.005)

    def attach(self, sandbox: Sandbox) -> Callable[[], None]:
        """Serve on the endpoint listener of a sandbox as well; what is returned ends that."""
        listener = sandbox.endpoint_listener
        assert listener is not None
        loop = asyncio.get_running_loop()
        listener.setblocking(False)
        connections: list[Any] = []

        def protocol() -> Any:
            protocol_class: Any = self._config.http_protocol_class
            made: Any = protocol_class(config=self._config, server_state=self._server.server_state, app_state={})
            connections.append(made)
            return made

        def accept() -> None:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            connections[:] = [known for known in connections if not known.transport.is_closing()]
            if len(connections) >= 64:
                connection.close()
                return
            connection.setblocking(False)
            task: asyncio.Task[object] = asyncio.ensure_future(loop.connect_accepted_socket(protocol, connection))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        descriptor = listener.fileno()
        loop.add_reader(descriptor, accept)

        def detach() -> None:
            loop.remove_reader(descriptor)
            for known in connections:
                if known.transport is not None:
                    known.transport.abort()

        return detach

    def stop_accepting(self) -> None:
        """No new connections; requests in progress go on."""
        for server in getattr(self._server, "servers", []):
            server.close()

    async def stop(self) -> None:
        """End all connections."""
        self._server.should_exit = True
        if self._serving is not None:
            await self._serving
