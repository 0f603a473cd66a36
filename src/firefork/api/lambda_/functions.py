"""Functions: create, read, list, update, delete. AWS: Lambda API reference."""

from __future__ import annotations

from typing import Any, Final

from firefork.api.call import Call
from firefork.api.lambda_.code_sources import CodeSources
from firefork.api.lambda_.configuration import marker, position, read, show, show_in_list
from firefork.api.lambda_.downloads import Downloads
from firefork.aws.errors import InvalidParameterValue
from firefork.catalog.functions import Functions as Catalog
from firefork.catalog.references import FunctionReference

_PAGE: Final = 50


class Functions:
    def __init__(self, catalog: Catalog, sources: CodeSources, downloads: Downloads) -> None:
        self._catalog = catalog
        self._sources = sources
        self._downloads = downloads

    def create_function(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        reference = FunctionReference.parse(call.scope, request["FunctionName"])
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
        with self._sources.package(call.scope, request["Code"]) as package:
            function = self._catalog.create(
                reference.scope,
                reference.name,
                configuration,
                package,
                request.get("Tags") or {},
                publish=bool(request.get("Publish")),
            )
        return show(function, qualified=function.version != "$LATEST")

    def get_function(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        reference = FunctionReference.parse(call.scope, request["FunctionName"], request.get("Qualifier"))
        function = self._catalog.get(reference.scope, reference.name, reference.qualifier)
        tags = self._catalog.tags(reference.scope, reference.name)
        return {
            "Configuration": show(function, qualified=reference.qualifier is not None),
            "Code": {
                "RepositoryType": "S3",
                "Location": self._downloads.link(call.endpoint, function.code_sha256),
            },
            "Tags": tags or None,
        }

    def get_function_configuration(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        reference = FunctionReference.parse(call.scope, request["FunctionName"], request.get("Qualifier"))
        function = self._catalog.get(reference.scope, reference.name, reference.qualifier)
        return show(function, qualified=reference.qualifier is not None)

    def list_functions(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        everything = request.get("FunctionVersion") == "ALL"
        after = position(request.get("Marker"), list)
        if after is not None and [type(part) for part in after] != [str, int]:
            raise InvalidParameterValue("Invalid pagination token")
        page = self._catalog.list(
            call.scope,
            all_versions=everything,
            after=(after[0], after[1]) if after else None,
            limit=min(request.get("MaxItems") or _PAGE, _PAGE),
        )
        return {
            "Functions": [show_in_list(function, qualified=everything) for function in page.versions],
            "NextMarker": marker(page.next_key),
        }

    def update_function_code(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        reference = _unqualified(call, request)
        self._catalog.get(reference.scope, reference.name, None)
        if request.get("ImageUri"):
            raise InvalidParameterValue("Please don't provide ImageUri when updating a function with packageType Zip.")
        architectures = request.get("Architectures") or [None]
        with self._sources.package(call.scope, request) as package:
            function = self._catalog.update_code(
                reference.scope,
                reference.name,
                package,
                architecture=architectures[0],
                revision_id=request.get("RevisionId"),
                dry_run=bool(request.get("DryRun")),
                publish=bool(request.get("Publish")),
            )
        return show(function, qualified=function.version != "$LATEST")

    def update_function_configuration(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        reference = _unqualified(call, request)
        current = self._catalog.get(reference.scope, reference.name, None)
        changes = read(request, name=reference.name, current=current)
        if request.get("Layers") is not None:
            changes["layers"] = self._catalog.layer_references(call.scope, request["Layers"])
        function = self._catalog.update_configuration(
            reference.scope, reference.name, changes, revision_id=request.get("RevisionId")
        )
        return show(function)

    def delete_function(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        reference = FunctionReference.parse(call.scope, request["FunctionName"], request.get("Qualifier"))
        self._catalog.delete(reference.scope, reference.name, reference.qualifier)
        return {"StatusCode": 204}

    def get_function_concurrency(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        reference = FunctionReference.parse(call.scope, request["FunctionName"])
        self._catalog.get(reference.scope, reference.name, None)
        return {}

    def get_function_code_signing_config(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        reference = FunctionReference.parse(call.scope, request["FunctionName"])
        self._catalog.get(reference.scope, reference.name, None)
        return {"FunctionName": reference.name}


def _unqualified(call: Call, request: dict[str, Any]) -> FunctionReference:
    reference = FunctionReference.parse(call.scope, request["FunctionName"])
    if reference.qualifier not in (None, "$LATEST"):
        raise InvalidParameterValue(
            "This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. "
            "Please specify either a function name or an unqualified function ARN."
        )
    return reference
