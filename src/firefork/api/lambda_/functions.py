"""Functions: create, read, list, update, delete. AWS: Lambda API reference."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from firefork.api.call import Call
from firefork.api.lambda_ import paging
from firefork.api.lambda_.code_sources import CodeSources
from firefork.api.lambda_.configuration import read, show, show_in_list
from firefork.api.lambda_.downloads import Downloads
from firefork.api.lambda_.targets import target_of, unqualified
from firefork.aws.errors import InvalidParameterValue
from firefork.catalog.code_signing_configs import CodeSigningConfigs
from firefork.catalog.concurrency import Concurrency
from firefork.catalog.functions import Functions as Catalog
from firefork.catalog.references import FunctionReference
from firefork.catalog.tags import TaggedResource, Tags, check_tags


class Functions:
    def __init__(
        self,
        catalog: Catalog,
        tags: Tags,
        signing: CodeSigningConfigs,
        concurrency: Concurrency,
        sources: CodeSources,
        downloads: Downloads,
    ) -> None:
        self._catalog = catalog
        self._tags = tags
        self._signing = signing
        self._concurrency = concurrency
        self._sources = sources
        self._downloads = downloads

    def create_function(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        reference = FunctionReference.for_new(call.scope, request["FunctionName"])
        if reference.qualifier is not None:
            raise InvalidParameterValue("A function name with a qualifier cannot be used to create a function.")
        if request.get("PackageType") == "Image" or request["Code"].get("ImageUri"):
            raise InvalidParameterValue("Container images are not supported yet: use PackageType Zip.")
        if not request.get("Runtime") or not request.get("Handler"):
            raise InvalidParameterValue(
                "Runtime and Handler are mandatory parameters for functions created with deployment packages."
            )
        configuration = read(request, name=reference.name)
        configuration["layers"] = self._catalog.layer_references(call.scope, request.get("Layers") or [])
        configuration["code_origin"] = _origin(request["Code"])
        tags = request.get("Tags") or {}
        check_tags({}, tags)
        signing = request.get("CodeSigningConfigArn")
        signing_id = self._signing.need_for_function(signing) if signing else None
        if signing:
            self._signing.check_deployment(reference.name, self._signing.get(signing))
        with self._sources.package(call.scope, request["Code"]) as package:
            function = self._catalog.create(
                reference.scope,
                reference.name,
                configuration,
                package,
                tags,
                code_signing_config=signing_id,
                publish=bool(request.get("Publish")),
            )
        return show(function)  # recorded: without the version, even if one was published

    def get_function(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        target = target_of(call, request)
        function = self._catalog.get(target.scope, target.name, target.qualifier)
        tags = self._tags.of(TaggedResource.parse(function.function_arn))
        reserved = self._concurrency.of(target.scope, target.name).reserved
        return {
            "Configuration": show(function, qualifier=target.qualifier),
            "Code": {
                "RepositoryType": "S3",
                "Location": self._downloads.link(call.endpoint, function.code_sha256),
                **function.code_origin,
            },
            "Tags": tags or None,
            "Concurrency": None if reserved is None else {"ReservedConcurrentExecutions": reserved},
        }

    def get_function_configuration(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        target = target_of(call, request)
        function = self._catalog.get(target.scope, target.name, target.qualifier)
        return show(function, qualifier=target.qualifier)

    def list_functions(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        everything = request.get("FunctionVersion") == "ALL"
        region = request.get("MasterRegion")
        if region is not None and not everything:
            raise InvalidParameterValue("FunctionVersion must be ALL when MasterRegion is specified.")
        if region not in (None, "ALL"):
            return {"Functions": []}  # replicas of Lambda@Edge functions: there are none
        page = self._catalog.list(
            call.scope,
            all_versions=everything,
            after=paging.version_after(request),
            limit=paging.limit(request),
        )
        return {
            "Functions": [
                show_in_list(function, qualifier=function.version if everything else None) for function in page.versions
            ],
            "NextMarker": paging.marker(page.next_key),
        }

    def update_function_code(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        target = unqualified(call, request)
        self._catalog.get(target.scope, target.name, None)
        if request.get("ImageUri"):
            raise InvalidParameterValue("Please don't provide ImageUri when updating a function with packageType Zip.")
        if request.get("PublishTo"):
            raise InvalidParameterValue("PublishTo is only supported for functions on managed instances.")
        architectures = request.get("Architectures") or [None]
        with self._sources.package(call.scope, request) as package:
            self._signing.check_deployment(target.name, self._signing.of_function(target.scope, target.name))
            function = self._catalog.update_code(
                target.scope,
                target.name,
                package,
                architecture=architectures[0],
                code_origin=_origin(request),
                revision_id=request.get("RevisionId"),
                dry_run=bool(request.get("DryRun")),
                publish=bool(request.get("Publish")),
            )
        return show(function, qualifier=function.version if function.version != "$LATEST" else None)

    def update_function_configuration(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        target = unqualified(call, request)
        current = self._catalog.get(target.scope, target.name, None)
        changes = read(request, name=target.name, current=current)
        if request.get("Layers") is not None:
            changes["layers"] = self._catalog.layer_references(call.scope, request["Layers"])
            if request["Layers"]:
                self._signing.check_deployment(target.name, self._signing.of_function(target.scope, target.name))
        function = self._catalog.update_configuration(
            target.scope, target.name, changes, revision_id=request.get("RevisionId")
        )
        return show(function)

    def delete_function(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        target = target_of(call, request)
        self._catalog.delete(target.scope, target.name, target.qualifier)
        return {"StatusCode": 204}


def _origin(code: Mapping[str, Any]) -> dict[str, Any]:
    """What GetFunction's Code tells of where a package came from."""
    origin: dict[str, Any] = {}
    if code.get("SourceKMSKeyArn"):
        origin["SourceKMSKeyArn"] = code["SourceKMSKeyArn"]
    if code.get("S3ObjectStorageMode") == "REFERENCE":
        place = {member: code.get(member) for member in ("S3Bucket", "S3Key", "S3ObjectVersion")}
        origin["ResolvedS3Object"] = {member: item for member, item in place.items() if item}
    return origin
