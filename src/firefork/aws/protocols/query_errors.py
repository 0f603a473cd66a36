"""What errors are called in the query protocol, also by services that left it. Smithy: "awsQueryError trait",
"awsQueryCompatible trait".
"""

from __future__ import annotations

from firefork.aws import models, sigv4
from firefork.aws.errors import ServiceError


def code_of(service: str, error: ServiceError) -> str:
    common = sigv4.QUERY_CODES.get(type(error))
    if common is not None:
        return common
    model = models.service_model(service)
    if error.code not in model.shape_names:
        return error.code
    return str(model.shape_for(error.code).metadata.get("error", {}).get("code", error.code))


def header(service: str, error: ServiceError) -> list[tuple[str, str]]:
    """By which clients that compare with the old codes go on to work; none for services that never had them."""
    if "awsQueryCompatible" not in models.service_model(service).metadata:
        return []
    return [("x-amzn-query-error", f"{code_of(service, error)};{'Sender' if error.fault == 'User' else 'Receiver'}")]
