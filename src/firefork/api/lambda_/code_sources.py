"""Where a package comes from: the request itself, or S3 at the upstream endpoint."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from firefork.aws.errors import InvalidParameterValue
from firefork.aws.scope import Scope
from firefork.catalog.packages import UNZIPPED_LIMIT, Package, Packages
from firefork.settings import Settings


class CodeSources:
    """Fetches and accepts packages. Methods may block."""

    def __init__(self, packages: Packages, settings: Settings, in_use: Callable[[str], bool]) -> None:
        """``in_use`` says of a package's digest whether some function or layer has it."""
        self._packages = packages
        self._settings = settings
        self._in_use = in_use

    @contextlib.contextmanager
    def package(self, scope: Scope, code: Mapping[str, Any]) -> Iterator[Package]:
        """The package of a FunctionCode or LayerVersionContentInput, for the block that puts it to use.

        What the block does not put to use is deleted again. Raises AWS's errors.
        """
        if code.get("ImageUri"):
            raise InvalidParameterValue("Container images are not supported yet: use a .zip file.")
        if code.get("ZipFile") is not None:
            if code.get("S3Bucket"):
                raise InvalidParameterValue(
                    "Please do not provide other FunctionCode parameters when providing a ZipFile."
                )
            data = code["ZipFile"]
        elif not code.get("S3Bucket") or not code.get("S3Key"):
            raise InvalidParameterValue("Please provide a source for function code.")
        else:
            data = self._fetch(scope, code["S3Bucket"], code["S3Key"], code.get("S3ObjectVersion"))
        direct = code.get("ZipFile") is not None
        with self._packages.accepted(data, self._in_use, direct=direct) as package:
            yield package

    def _fetch(self, scope: Scope, bucket: str, key: str, version: str | None) -> bytes:
        if self._settings.upstream is None:
            raise InvalidParameterValue(
                "Code in S3 needs an S3-compatible endpoint: start the server with --upstream URL, or send the code "
                "as ZipFile."
            )
        client: Any = botocore.session.Session().create_client(
            "s3",
            endpoint_url=self._settings.upstream,
            region_name=scope.region,
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 2}, connect_timeout=5),
        )
        place = {"Bucket": bucket, "Key": key} | ({"VersionId": version} if version else {})
        try:
            answer = client.get_object(**place)
            if answer["ContentLength"] > UNZIPPED_LIMIT:
                raise InvalidParameterValue(f"Unzipped size must be smaller than {UNZIPPED_LIMIT} bytes")
            data: bytes = answer["Body"].read()
        except ClientError as error:
            told = error.response["Error"]
            raise InvalidParameterValue(
                f"Error occurred while GetObject. S3 Error Code: {told.get('Code')}. "
                f"S3 Error Message: {told.get('Message')}"
            ) from None
        except BotoCoreError as error:
            raise InvalidParameterValue(f"Error occurred while GetObject. {error}") from None
        finally:
            client.close()
        return data
