"""What observers of invokes are told, with an engine that only answers."""

import asyncio
import time
from dataclasses import dataclass, field

import pytest

from firefork.aws.errors import TooManyRequests
from firefork.aws.scope import Scope
from firefork.catalog.concurrency import FunctionConcurrency
from firefork.catalog.function import FunctionVersion, LoggingConfig
from firefork.engine.invocation import Outcome
from firefork.engine.memory import MemoryExhausted
from firefork.engine.reports import Report
from firefork.invoke.admission import Reason, Slot
from firefork.invoke.invoker import Invoker, InvokeRequest
from firefork.invoke.observations import InvokeEnded, InvokeStarted, InvokeThrottled
from firefork.store.clock import now

HERE = Scope("000000000000", "us-east-1")
WHO = {"scope": HERE, "name": "f", "version": "1"}
CALLED = {**WHO, "qualifier": "live"}
REPORT = Report(request_id="id", duration_ms=1.5, billed_ms=2, memory_mb=128, max_memory_used_mb=40)
OUTCOME = Outcome(payload=b"{}", failed=True, report=REPORT, log_tail=b"")
REQUEST = InvokeRequest(
    function=FunctionVersion(
        **WHO,
        revision_id="r",
        runtime="python3.12",
        handler="app.handler",
        role="arn:aws:iam::000000000000:role/r",
        last_modified=now(),
        state="Active",
        logging=LoggingConfig(log_group="/aws/lambda/f"),
    ),
    request_id="id",
    payload=b"{}",
    invoked_arn=HERE.arn("lambda", "function:f:live"),
)


class Engine:
    """Answers every invoke, after ``hold`` if there is one, or raises ``error``."""

    def __init__(self, error=None):
        self.error = error
        self.hold = None

    def must_start(self, spec):
        return False

    async def invoke(self, spec, invocation):
        if self.hold is not None:
            await self.hold.wait()
        if self.error is not None:
            raise self.error
        return OUTCOME


@dataclass
class Configured:
    """Stands for the catalog and for the provisioner."""

    reserved: int | None = None
    ready_environments: dict = field(default_factory=dict)
    account_concurrency: int = 1000

    def of(self, scope, name):
        return FunctionConcurrency(reserved=self.reserved)

    def set_aside(self, scope):
        return self.reserved or 0

    def ready(self, scope, name):
        return self.ready_environments


def make(engine, configured):
    """An invoker, and the list of what it tells."""
    told = []
    invoker = Invoker(engine, configured, configured, clock=lambda: 0.0)
    invoker.observers.append(told.append)
    return invoker, told


class TestObservers:
    async def test_are_told_of_start_and_end(self):
        invoker, told = make(Engine(), Configured())
        assert await invoker.invoke(REQUEST) is OUTCOME
        start = InvokeStarted(**CALLED, slot=Slot.UNRESERVED, spilled_over=False, provisioned=0)
        assert told == [
            start,
            InvokeEnded(start=start, started_ms=told[1].started_ms, report=REPORT, failed=True),
        ]
        assert abs(told[1].started_ms / 1000 - time.time()) < 60

    async def test_are_told_of_a_spill_over(self):
        """The second invoke finds the one provisioned environment busy with the first."""
        engine = Engine()
        invoker, told = make(engine, Configured(ready_environments={"1": 1}))
        engine.hold = asyncio.Event()
        running = [asyncio.ensure_future(invoker.invoke(REQUEST)) for _ in range(2)]
        await asyncio.sleep(0)
        engine.hold.set()
        await asyncio.gather(*running)
        starts = [one for one in told if isinstance(one, InvokeStarted)]
        assert [(one.slot, one.spilled_over) for one in starts] == [
            (Slot.PROVISIONED, False),
            (Slot.UNRESERVED, True),
        ]

    async def test_are_told_of_what_is_throttled(self):
        invoker, told = make(Engine(), Configured(reserved=0))
        with pytest.raises(TooManyRequests):
            await invoker.invoke(REQUEST)
        assert told == [InvokeThrottled(**CALLED, reason=Reason.RESERVED_CONCURRENCY)]

    async def test_no_memory_is_a_throttle_that_names_its_cause(self):
        """The slot is given back: the next invoke is not refused for it."""
        engine = Engine(error=MemoryExhausted("Environments use 90 MB (--memory-budget)."))
        invoker, told = make(engine, Configured(reserved=1))
        with pytest.raises(TooManyRequests) as refused:
            await invoker.invoke(REQUEST)
        assert refused.value.message == "Rate Exceeded. Environments use 90 MB (--memory-budget)."
        assert refused.value.members == {
            "Reason": "ConcurrentInvocationLimitExceeded",
            "Type": "User",
            "retryAfterSeconds": "1",
        }
        assert [type(one) for one in told] == [InvokeStarted, InvokeThrottled, InvokeEnded]
        assert told[-1].report is None
        engine.error = None
        assert await invoker.invoke(REQUEST) is OUTCOME
