"""Code signing configs. AWS: Lambda API reference, CreateCodeSigningConfig to ListFunctionsByCodeSigningConfig."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from firefork.api.call import Call
from firefork.api.lambda_ import paging
from firefork.api.lambda_.configuration import show_time
from firefork.api.lambda_.targets import unqualified
from firefork.catalog.code_signing_configs import CodeSigningConfig
from firefork.catalog.code_signing_configs import CodeSigningConfigs as Catalog
from firefork.catalog.tags import check_tags


class CodeSigningConfigs:
    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def create_code_signing_config(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        tags = request.get("Tags") or {}
        check_tags({}, tags)
        return {"CodeSigningConfig": _show(self._catalog.create(call.scope, _read(request), tags))}

    def update_code_signing_config(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        return {"CodeSigningConfig": _show(self._catalog.update(request["CodeSigningConfigArn"], _read(request)))}

    def get_code_signing_config(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        return {"CodeSigningConfig": _show(self._catalog.get(request["CodeSigningConfigArn"]))}

    def list_code_signing_configs(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        page, following = self._catalog.list(call.scope, after=paging.text_after(request), limit=paging.limit(request))
        return {"CodeSigningConfigs": [_show(config) for config in page], "NextMarker": paging.marker(following)}

    def delete_code_signing_config(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        self._catalog.delete(request["CodeSigningConfigArn"])
        return {}

    def put_function_code_signing_config(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        target, arn = unqualified(call, request), request["CodeSigningConfigArn"]
        self._catalog.attach(target.scope, target.name, arn)
        return {"CodeSigningConfigArn": arn, "FunctionName": target.name}

    def get_function_code_signing_config(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        target = unqualified(call, request)
        config = self._catalog.of_function(target.scope, target.name)
        return {"CodeSigningConfigArn": config.arn, "FunctionName": target.name} if config is not None else {}

    def delete_function_code_signing_config(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        target = unqualified(call, request)
        self._catalog.detach(target.scope, target.name)
        return {}

    def list_functions_by_code_signing_config(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        arns, following = self._catalog.functions_with(
            request["CodeSigningConfigArn"], after=paging.text_after(request), limit=paging.limit(request)
        )
        return {"FunctionArns": list(arns), "NextMarker": paging.marker(following)}


def _read(request: Mapping[str, Any]) -> dict[str, Any]:
    """CodeSigningConfig's fields that the request sets."""
    settings: dict[str, Any] = {}
    if request.get("Description") is not None:
        settings["description"] = request["Description"]
    if request.get("AllowedPublishers") is not None:
        settings["signing_profile_version_arns"] = tuple(request["AllowedPublishers"]["SigningProfileVersionArns"])
    policy = (request.get("CodeSigningPolicies") or {}).get("UntrustedArtifactOnDeployment")
    if policy is not None:
        settings["untrusted_artifact_on_deployment"] = policy
    return settings


def _show(config: CodeSigningConfig) -> dict[str, Any]:
    return {
        "CodeSigningConfigId": config.id,
        "CodeSigningConfigArn": config.arn,
        "Description": config.description,
        "AllowedPublishers": {"SigningProfileVersionArns": list(config.signing_profile_version_arns)},
        "CodeSigningPolicies": {"UntrustedArtifactOnDeployment": config.untrusted_artifact_on_deployment},
        "LastModified": show_time(config.last_modified),
    }
