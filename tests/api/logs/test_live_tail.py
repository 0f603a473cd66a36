"""A session of StartLiveTail that nobody but the test reads."""

import asyncio

import pytest

from firefork.api.call import Call
from firefork.api.logs.live_tail import LiveTailSessions
from firefork.aws.errors import LogsResourceNotFound
from firefork.aws.principal import Principal
from firefork.aws.scope import Scope
from firefork.store.database import Database
from firefork.telemetry.live_tail import LiveTails
from firefork.telemetry.log_store import LogStore

HERE = Scope("000000000000", "us-east-1")
CALL = Call(
    service="logs",
    operation="StartLiveTail",
    scope=HERE,
    principal=Principal(account=HERE.account, arn="arn:aws:iam::000000000000:root", user_id=HERE.account),
    request_id="id",
    endpoint="http://x",
    headers={},
)
REQUEST = {"logGroupIdentifiers": [HERE.arn("logs", "log-group:/g")]}


@pytest.fixture
def store(tmp_path):
    database = Database.in_folder(tmp_path)
    database.migrate()
    made = LogStore(database)
    made.create_group(HERE, "/g", {})
    yield made
    made.close()
    database.close()


class TestSession:
    async def test_ends_at_its_limit(self, store):
        """On AWS after three hours: the client is told and starts another one."""
        sessions = LiveTailSessions(store, LiveTails(), session_limit_s=0.01)
        answer = await sessions.start_live_tail(CALL, REQUEST)
        events = [event async for event in answer["responseStream"]]
        assert [next(iter(event)) for event in events] == ["sessionStart", "SessionTimeoutException"]

    async def test_ends_at_once_when_the_server_does(self, store):
        tails = LiveTails()
        sessions = LiveTailSessions(store, tails)
        answer = await sessions.start_live_tail(CALL, REQUEST)
        stream = aiter(answer["responseStream"])
        assert "sessionStart" in await anext(stream)
        waiting = asyncio.ensure_future(anext(stream, None))
        await asyncio.sleep(0)
        sessions.end_all()
        assert await waiting is None  # and not the update that would come after a second

    async def test_a_group_that_is_not_there(self, store):
        sessions = LiveTailSessions(store, LiveTails())
        with pytest.raises(LogsResourceNotFound):
            await sessions.start_live_tail(CALL, {"logGroupIdentifiers": [HERE.arn("logs", "log-group:/none")]})
