"""The errors of S3 and the other services with REST and XML, none of which is served here.

AWS: S3 API reference, "Error responses".
"""

from __future__ import annotations

from typing import Final
from xml.etree import ElementTree

from firefork.aws.errors import ServiceError
from firefork.aws.protocols.message import HttpAnswer
from firefork.aws.protocols.query import xml_text

SIGNING_NAMES: Final = frozenset(("s3", "s3-outposts", "s3express", "route53", "cloudfront"))
"""Under which requests to them are signed."""


def serialize_error(error: ServiceError, request_id: str) -> HttpAnswer:
    root = ElementTree.Element("Error")
    for name, value in (("Code", error.code), ("Message", error.message), ("RequestId", request_id)):
        ElementTree.SubElement(root, name).text = xml_text(value)
    headers = [("x-amz-request-id", request_id), ("content-type", "application/xml")]
    return HttpAnswer(status=error.status, headers=headers, body=ElementTree.tostring(root, "utf-8"))
