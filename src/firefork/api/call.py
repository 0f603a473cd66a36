"""What a service handler knows about the request besides its parameters."""

from __future__ import annotations

from collections.abc import Mapping

from firefork.aws.principal import Principal
from firefork.aws.record import record
from firefork.aws.scope import Scope


@record
class Call:
    """One authenticated request to one operation."""

    service: str
    """botocore's service name: ``lambda``, ``logs``, ``sts``."""
    operation: str
    scope: Scope
    principal: Principal
    request_id: str
    """UUID; what the caller reads in ``x-amzn-RequestId``."""
    endpoint: str
    """``http://127.0.0.1:4566`` as the client addressed it: presigned links are built on it."""
    headers: Mapping[str, str]
    """Request headers, names in lower case."""
    source_ip: str = ""
    """The client's address; empty where the transport has none."""
    access_key_id: str = ""
    """The key that signed; empty for a call that nobody signed."""
