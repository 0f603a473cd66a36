"""What a schema's text has to be. AWS: EventBridge user guide, "Creating a schema"; OpenAPI Specification 3.0."""

from __future__ import annotations

from typing import Any

import orjson

from firefork.aws.errors import SchemasBadRequest


def check_content(kind: str, content: str) -> None:
    """Raises SchemasBadRequest for what is no JSON document of this kind; the frame is looked at, not every keyword."""
    try:
        document = orjson.loads(content)
    except orjson.JSONDecodeError:
        raise SchemasBadRequest(f"The schema's content is not valid JSON, which {kind} asks for.") from None
    if not isinstance(document, dict):
        raise SchemasBadRequest(f"The schema's content is not a valid {kind} document: it is no JSON object.")
    if kind == "OpenApi3":
        _check_openapi(document)


def _check_openapi(document: dict[str, Any]) -> None:
    version, info = document.get("openapi"), document.get("info")
    problems = []
    if not isinstance(version, str) or not version.startswith("3."):
        problems.append("attribute openapi is missing or not 3.x")
    if not isinstance(info, dict):
        problems.append("attribute info is missing")
    else:
        problems += [f"attribute info.{name} is missing" for name in ("title", "version") if name not in info]
    if not isinstance(document.get("paths"), dict):
        problems.append("attribute paths is missing")
    if problems:
        raise SchemasBadRequest(f"The schema's content is not a valid OpenApi3 document: {', '.join(problems)}.")
