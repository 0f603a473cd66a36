"""What a managed runtime's interpreter runs; functions see it as ``/var/runtime/bootstrap.py``.

With a control descriptor in its environment it is a zygote first: it serves forks until it is itself a forked,
bound runtime, and then goes on exactly like an interpreter that was started for the function.
"""

import os
import site
import sys
from types import AsyncGeneratorType, GeneratorType
from typing import Any, AsyncGenerator, Callable, Generator, Tuple


def search_path(task_root: str) -> None:
    """Set ``sys.path`` in AWS's order: task, layers, SDK and client, standard library (fact sheet, section 1.3)."""
    version = "python%d.%d" % sys.version_info[:2]
    runtime_dir = os.environ.get("LAMBDA_RUNTIME_DIR", "/var/runtime")
    packages = os.environ.pop("_FIREFORK_SITE_PACKAGES", "/var/lang/lib/%s/site-packages" % version)
    layers = os.environ.pop("_FIREFORK_OPT", "/opt") + "/python"
    own = {"", runtime_dir, packages, os.path.dirname(os.path.abspath(__file__))}
    rest = [entry for entry in sys.path if entry not in own and not entry.endswith("/site-packages")]
    if os.environ.get("PYTHONPATH", runtime_dir) == runtime_dir:
        os.environ["PYTHONPATH"] = runtime_dir
        first = ["%s/lib/%s/site-packages" % (layers, version), layers]
    else:
        users = os.environ["PYTHONPATH"].split(os.pathsep)
        first = [entry for entry in rest if entry in users]
        rest = [entry for entry in rest if entry not in users]
    bundled = [packages, runtime_dir] if sys.version_info >= (3, 11) else [runtime_dir, packages]
    sys.path[:] = first + bundled + rest
    known = len(sys.path)
    site.addsitedir(task_root)  # as AWS: `.pth` files of the package count
    added = sys.path[known:]
    sys.path[:] = added + sys.path[:known]


def use_own_transport() -> None:
    """Let the runtime client use ours instead of its native module, before anything of it is imported."""
    folder = os.path.dirname(os.path.abspath(__file__))
    sys.path.insert(0, folder)
    import firefork_transport

    sys.path.remove(folder)
    sys.modules["runtime_client"] = firefork_transport


def prepare_client() -> None:
    """Import the runtime client and fit it: no thread for polling, and answers in parts."""
    import firefork_transport as transport
    from awslambdaric import lambda_runtime_client as client
    from awslambdaric.lambda_runtime_marshaller import LambdaMarshaller

    class Marshaller(LambdaMarshaller):  # type: ignore[misc]  # the client has no types
        """Besides JSON: a handler that is a generator, or returns one, answers in parts (Firefork's own).

        Stands in this file because the client cuts the frames of files of this name off its stack traces.
        """

        def marshal_response(self, response: Any) -> Tuple[Any, str]:
            if isinstance(response, AsyncGeneratorType):
                response = _in_turn(response)
            if not isinstance(response, GeneratorType):
                return LambdaMarshaller.marshal_response(self, response)  # type: ignore[no-any-return]
            kind = "application/octet-stream"
            if not transport.is_streaming():
                return b"".join([self._part(part) for part in response]), kind
            for part in response:
                transport.send_part(self._part(part), kind)
            transport.send_part(b"", kind)  # begins the answer of a generator that had nothing to say
            return b"", kind

        def _part(self, part: Any) -> bytes:
            if isinstance(part, (bytes, bytearray, memoryview)):
                return bytes(part)
            if isinstance(part, str):
                return part.encode("utf-8")
            text: str = LambdaMarshaller.marshal_response(self, part)[0]
            return text.encode("utf-8")

    runtime_client = client.LambdaRuntimeClient
    original = runtime_client.__init__

    def initialise(self: Any, address: str, use_thread_for_polling_next: bool = False) -> None:
        original(self, address, False)  # our transport lets signal handlers run while it waits

    runtime_client.__init__ = initialise
    runtime_client.marshaller = Marshaller()


def wait_in_template(restore: Callable[[], None]) -> None:
    """Let the client be forked where it would wait to be restored."""
    from awslambdaric import lambda_runtime_client as client

    client.LambdaRuntimeClient.restore_next = lambda self: restore()


def _in_turn(parts: AsyncGenerator[Any, None]) -> Generator[Any, None, None]:
    """The parts of an async generator, on an event loop of its own."""
    import asyncio

    loop = asyncio.new_event_loop()
    try:
        asyncio.set_event_loop(loop)
        while True:
            try:
                yield loop.run_until_complete(parts.__anext__())
            except StopAsyncIteration:
                return
    finally:
        loop.run_until_complete(parts.aclose())
        asyncio.set_event_loop(None)
        loop.close()


def main() -> None:
    use_own_transport()
    control = os.environ.pop("_FIREFORK_CONTROL", None)
    if control is not None:
        guest = os.environ.pop("_FIREFORK_GUEST")
        sys.path.insert(0, guest)
        from firefork.engine.guest import zygote

        restore = zygote.serve(int(control), prepare_client)
        if restore is not None:
            wait_in_template(restore)
        sys.path.remove(guest)
        for name in [name for name in sys.modules if name.partition(".")[0] == "firefork"]:
            del sys.modules[name]
    task_root = os.environ["LAMBDA_TASK_ROOT"]
    search_path(task_root)
    if control is None:
        prepare_client()
    from awslambdaric.__main__ import main as start

    start([task_root, os.environ["_HANDLER"]])


if __name__ == "__main__":
    main()
