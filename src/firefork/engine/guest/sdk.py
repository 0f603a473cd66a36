"""The bundled SDK in the second flavour of zygotes: imported, and its first client's work done beforehand.

A first client costs a forked child 60 to 170 ms where its parent has only imported the SDK.
"""

import os
import weakref
from types import FunctionType
from typing import Any, Dict

_WARMED_SERVICES = (
    "dynamodb",
    "events",
    "kinesis",
    "kms",
    "lambda",
    "logs",
    "s3",
    "secretsmanager",
    "sns",
    "sqs",
    "ssm",
    "stepfunctions",
    "sts",
)
"""Services whose first client is cheap in a function: what handlers use most."""


def preload() -> None:
    """Import the SDK and make a client, so that children inherit all that a first client imports.

    The client is made of a session without configuration, for a region and keys that mean nothing, and is dropped:
    children inherit modules and compiled patterns, no credentials, no region and no connection.
    """
    import boto3
    import botocore.session

    kept = dict(os.environ)
    os.environ.update(
        AWS_CONFIG_FILE="/nonexistent",
        AWS_SHARED_CREDENTIALS_FILE="/nonexistent",
        AWS_EC2_METADATA_DISABLED="true",
    )
    try:
        _make_client(botocore.session.Session(), "sts")
    finally:
        os.environ.clear()
        os.environ.update(kept)
    boto3.DEFAULT_SESSION = None


def _make_client(session: Any, service: Any) -> None:
    import boto3

    made = boto3.session.Session(
        botocore_session=session,
        aws_access_key_id="none",
        aws_secret_access_key="none",
        region_name="us-east-1",
    )
    made.client(service, endpoint_url="http://localhost:1")


def warm() -> None:
    """Read the service descriptions that functions need most, and let every loader to come begin with them.

    Reading them is most of what a client costs. What is shared is what one loader would share among the clients of a
    process; a loader with other folders to look in, as AWS_DATA_PATH makes, begins empty.
    """
    import botocore.hooks
    import botocore.loaders
    import botocore.session

    hooks: Any = botocore.hooks
    loaders: Any = botocore.loaders
    filled = loaders.Loader()
    usual_paths = list(filled.search_paths)  # boto3 adds its own later, to every loader
    aliases: Dict[Any, Any] = {}
    for service in _WARMED_SERVICES:
        fresh = botocore.session.Session()
        fresh.register_component("data_loader", filled)
        _make_client(fresh, service)
        aliases.update(getattr(fresh.get_component("event_emitter"), "_alias_name_cache", {}))
    original_loader, original_aliaser = loaders.Loader.__init__, hooks.EventAliaser.__init__
    original_accepts_kwargs = hooks.accepts_kwargs
    known: Any = weakref.WeakKeyDictionary()  # or handlers, and what they belong to, would live for ever

    def initialise_loader(self: Any, *arguments: Any, **named: Any) -> None:
        original_loader(self, *arguments, **named)
        if self.search_paths == usual_paths:
            self._cache.update(filled._cache)

    def initialise_aliaser(self: Any, emitter: Any, event_aliases: Any = None, **named: Any) -> None:
        original_aliaser(self, emitter, event_aliases, **named)
        if event_aliases is None and hasattr(self, "_alias_name_cache"):
            self._alias_name_cache.update(aliases)

    def accepts_kwargs(function: Any) -> Any:
        plain = getattr(function, "__func__", function)
        if not isinstance(plain, FunctionType):
            return original_accepts_kwargs(function)
        if plain not in known:
            known[plain] = original_accepts_kwargs(function)
        return known[plain]

    loaders.Loader.__init__ = initialise_loader
    hooks.EventAliaser.__init__ = initialise_aliaser
    hooks.accepts_kwargs = accepts_kwargs
