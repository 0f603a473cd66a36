"""Who the caller is, and role sessions. AWS: STS API reference, GetCallerIdentity, AssumeRole."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, Final

from firefork.api.call import Call
from firefork.aws.errors import ValidationError
from firefork.catalog.keys import Keys, role_session

_DEFAULT_DURATION_S: Final = 3600
_ROLE: Final = re.compile(r"arn:aws[a-zA-Z-]*:iam::\d{12}:role/[a-zA-Z_0-9+=,.@\-_/]+")


class Identity:
    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def get_caller_identity(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        principal = call.principal
        return {"UserId": principal.user_id, "Account": principal.account, "Arn": principal.arn}

    def assume_role(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        if not _ROLE.fullmatch(request["RoleArn"]):
            raise ValidationError(f"{request['RoleArn']} is invalid")
        principal = role_session(request["RoleArn"], request["RoleSessionName"])
        credentials = self._keys.issue_session(principal, request.get("DurationSeconds") or _DEFAULT_DURATION_S)
        return {
            "Credentials": {
                "AccessKeyId": credentials.access_key_id,
                "SecretAccessKey": credentials.secret_access_key,
                "SessionToken": credentials.session_token,
                "Expiration": datetime.fromtimestamp(credentials.expires_at_s, UTC),
            },
            "SourceIdentity": request.get("SourceIdentity"),
            "AssumedRoleUser": {"AssumedRoleId": principal.user_id, "Arn": principal.arn},
        }
