"""Layers. AWS: Lambda API reference, PublishLayerVersion to DeleteLayerVersion."""

from __future__ import annotations

import re
from typing import Any, Final

from firefork.api.call import Call
from firefork.api.lambda_ import paging
from firefork.api.lambda_.code_sources import CodeSources
from firefork.api.lambda_.configuration import show_time
from firefork.api.lambda_.downloads import Downloads
from firefork.aws.scope import Scope
from firefork.catalog.function_rules import show_sha256
from firefork.catalog.layers import Layers as Catalog
from firefork.catalog.layers import LayerVersion

_LAYER_ARN: Final = re.compile(r"arn:aws[a-zA-Z-]*:lambda:([a-z0-9-]+):(\d{12}):layer:([a-zA-Z0-9-_]+)")


class Layers:
    def __init__(self, catalog: Catalog, sources: CodeSources, downloads: Downloads) -> None:
        self._catalog = catalog
        self._sources = sources
        self._downloads = downloads

    def publish_layer_version(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        scope, name = layer_place(call, request["LayerName"])
        with self._sources.package(call.scope, request["Content"]) as package:
            version = self._catalog.publish(
                scope,
                name,
                package,
                description=request.get("Description") or "",
                compatible_runtimes=request.get("CompatibleRuntimes"),
                compatible_architectures=request.get("CompatibleArchitectures"),
                license_info=request.get("LicenseInfo"),
            )
        return self._whole(call, version)

    def get_layer_version(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        scope, name = layer_place(call, request["LayerName"])
        return self._whole(call, self._catalog.get(scope, name, request["VersionNumber"]))

    def get_layer_version_by_arn(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        return self._whole(call, self._catalog.get_by_arn(call.scope, request["Arn"]))

    def list_layers(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        found, last = self._catalog.list(
            call.scope,
            after=paging.text_after(request),
            wanted=lambda version: _fits(version, request),
            limit=paging.limit(request),
        )
        return {
            "Layers": [
                {
                    "LayerName": version.name,
                    "LayerArn": version.layer_arn,
                    "LatestMatchingVersion": _entry(version),
                }
                for version in found
            ],
            "NextMarker": paging.marker(last),
        }

    def list_layer_versions(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        scope, name = layer_place(call, request["LayerName"])
        versions, before = self._catalog.list_versions(
            scope,
            name,
            before=paging.number_after(request),
            limit=paging.limit(request),
        )
        return {
            "LayerVersions": [_entry(version) for version in versions if _fits(version, request)],
            "NextMarker": paging.marker(before),
        }

    def delete_layer_version(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        scope, name = layer_place(call, request["LayerName"])
        self._catalog.delete(scope, name, request["VersionNumber"])
        return {}

    def _whole(self, call: Call, version: LayerVersion) -> dict[str, Any]:
        return {
            "Content": {
                "Location": self._downloads.link(call.endpoint, version.code_sha256),
                "CodeSha256": show_sha256(version.code_sha256),
                "CodeSize": version.code_size,
            },
            "LayerArn": version.layer_arn,
            **_entry(version),
        }


def layer_place(call: Call, text: str) -> tuple[Scope, str]:
    """A layer's name, or its ARN."""
    found = _LAYER_ARN.fullmatch(text)
    return (Scope(found[2], found[1]), found[3]) if found else (call.scope, text)


def _fits(version: LayerVersion, request: dict[str, Any]) -> bool:
    runtime, architecture = request.get("CompatibleRuntime"), request.get("CompatibleArchitecture")
    return (runtime is None or runtime in (version.compatible_runtimes or ())) and (
        architecture is None or architecture in (version.compatible_architectures or ())
    )


def _entry(version: LayerVersion) -> dict[str, Any]:
    return {
        "LayerVersionArn": version.arn,
        "Version": version.version,
        "Description": version.description,
        "CreatedDate": show_time(version.created),
        "CompatibleRuntimes": version.compatible_runtimes,
        "CompatibleArchitectures": version.compatible_architectures,
        "LicenseInfo": version.license,
    }
