"""The ways to name a function: name, partial ARN, full ARN, each with or without a qualifier."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import Final

from firefork.aws.errors import InvalidParameterValue, ResourceNotFound, ValidationError
from firefork.aws.scope import Scope

_NAME: Final = r"[a-zA-Z0-9-_.]+"
_QUALIFIER: Final = r"\$LATEST(?:\.PUBLISHED)?|[a-zA-Z0-9-_]+"
_FORM: Final = re.compile(
    rf"(?:arn:(?P<partition>aws[a-zA-Z-]*):lambda:(?P<region>[a-z0-9-]+):)?"
    rf"(?:(?P<account>\d{{12}}):)?(?:function:)?(?P<name>{_NAME})(?::(?P<qualifier>{_QUALIFIER}))?"
)
NAME_LIMIT: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionReference:
    """Which function, and which version or alias of it was asked for."""

    scope: Scope
    name: str
    qualifier: str | None
    """``None`` when nothing was said, which means ``$LATEST``."""

    @classmethod
    def for_new(cls, scope: Scope, text: str) -> FunctionReference:
        """As ``parse``, for the name of a function that is to be made: only then its length counts (recorded)."""
        reference = cls.parse(scope, text)
        if len(reference.name) > NAME_LIMIT:
            raise InvalidParameterValue(
                f"1 validation error detected: Value '{text}' at 'functionName' failed to satisfy constraint: "
                f"Member must have length less than or equal to {NAME_LIMIT}"
            )
        return reference

    @classmethod
    @functools.lru_cache(maxsize=4096)  # what every invoke begins with
    def parse(cls, scope: Scope, text: str, qualifier: str | None = None) -> FunctionReference:
        """Read a FunctionName as the caller in ``scope`` means it.

        Raises ValidationError, InvalidParameterValue, ResourceNotFound (another region's ARN) in AWS's words.
        """
        found = _FORM.fullmatch(text)
        if found is None:
            raise ValidationError(
                f"1 validation error detected: Value '{text}' at 'functionName' failed to satisfy constraint: "
                r"Member must satisfy regular expression pattern: (arn:(aws[a-zA-Z-]*)?:lambda:)?"
                r"((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_\.]+)"
                r"(:(\$LATEST(\.PUBLISHED)?|[a-zA-Z0-9-_]+))?"
            )
        name = found["name"]
        region = found["region"] or scope.region
        if region != scope.region:
            raise ResourceNotFound(f"Functions from '{region}' are not reachable in this region ('{scope.region}')")
        inner = found["qualifier"]
        if inner is not None and qualifier is not None and inner != qualifier:
            raise InvalidParameterValue(
                "The derived qualifier from the function name does not match the specified qualifier."
            )
        return cls(scope=Scope(found["account"] or scope.account, region), name=name, qualifier=qualifier or inner)

    @property
    def arn(self) -> str:
        """With the qualifier, if one was given."""
        arn = self.scope.arn("lambda", f"function:{self.name}")
        return f"{arn}:{self.qualifier}" if self.qualifier else arn
