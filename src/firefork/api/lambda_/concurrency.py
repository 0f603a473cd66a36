"""Reserved and provisioned concurrency. AWS: Lambda API reference, PutFunctionConcurrency to
ListProvisionedConcurrencyConfigs.
"""

from __future__ import annotations

from typing import Any, Final

from firefork.api.call import Call
from firefork.api.lambda_ import paging
from firefork.api.lambda_.targets import unqualified
from firefork.aws.scope import Scope
from firefork.catalog.concurrency import Concurrency as Catalog
from firefork.catalog.concurrency import ProvisionedConfig
from firefork.catalog.functions import Functions
from firefork.catalog.references import FunctionReference
from firefork.invoke.provisioner import Allocation, Provisioner, Status

_PAGE: Final = 50
_HANDOVER_LIMIT_S: Final = 10.0
"""For the event loop to hear of a change, which takes no time unless the server is ending."""


class FunctionConcurrency:
    """Reserved concurrency."""

    def __init__(self, catalog: Catalog, functions: Functions) -> None:
        self._catalog = catalog
        self._functions = functions

    def put_function_concurrency(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        reference = unqualified(call, request)
        reserved = request["ReservedConcurrentExecutions"]
        self._catalog.put_reserved(reference.scope, reference.name, reserved)
        return {"ReservedConcurrentExecutions": reserved}

    def get_function_concurrency(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        reference = unqualified(call, request)
        self._functions.get(reference.scope, reference.name, None)
        return {"ReservedConcurrentExecutions": self._catalog.of(reference.scope, reference.name).reserved}

    def delete_function_concurrency(self, call: Call, request: dict[str, Any]) -> None:
        reference = unqualified(call, request)
        self._catalog.delete_reserved(reference.scope, reference.name)


class ProvisionedConcurrency:
    """Environments that are initialised before they are asked for."""

    def __init__(self, catalog: Catalog, functions: Functions, provisioner: Provisioner) -> None:
        self._catalog = catalog
        self._functions = functions
        self._provisioner = provisioner

    def put_provisioned_concurrency_config(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        scope, name, qualifier = _qualified(call, request)
        config = self._catalog.put_provisioned(scope, name, qualifier, request["ProvisionedConcurrentExecutions"])
        self._provisioner.refresh(scope, name).result(_HANDOVER_LIMIT_S)
        # AWS's answer is the state in which it began, however little was changed.
        return _show(config, Allocation(allocated=0, status=Status.IN_PROGRESS))

    def get_provisioned_concurrency_config(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        scope, name, qualifier = _qualified(call, request)
        config = self._catalog.provisioned(scope, name, qualifier)
        return _show(config, self._provisioner.allocation(scope, name, config))

    def list_provisioned_concurrency_configs(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        reference = FunctionReference.parse(call.scope, request["FunctionName"])
        scope, name = reference.scope, reference.name
        self._functions.get(scope, name, None)
        after = paging.text_after(request) or ""
        limit = request.get("MaxItems") or _PAGE
        configs = sorted(self._catalog.of(scope, name).provisioned.items())
        rest = [config for qualifier, config in configs if qualifier > after]
        page = rest[:limit]
        return {
            "ProvisionedConcurrencyConfigs": [
                {
                    "FunctionArn": scope.arn("lambda", f"function:{name}:{config.qualifier}"),
                    **_show(config, self._provisioner.allocation(scope, name, config)),
                }
                for config in page
            ],
            "NextMarker": paging.marker(page[-1].qualifier) if len(rest) > limit else None,
        }

    def delete_provisioned_concurrency_config(self, call: Call, request: dict[str, Any]) -> None:
        scope, name, qualifier = _qualified(call, request)
        self._catalog.delete_provisioned(scope, name, qualifier)
        self._provisioner.refresh(scope, name).result(_HANDOVER_LIMIT_S)


def _qualified(call: Call, request: dict[str, Any]) -> tuple[Scope, str, str]:
    reference = FunctionReference.parse(call.scope, request["FunctionName"], request["Qualifier"])
    return reference.scope, reference.name, reference.qualifier or request["Qualifier"]


def _show(config: ProvisionedConfig, allocation: Allocation) -> dict[str, Any]:
    return {
        "RequestedProvisionedConcurrentExecutions": config.requested,
        "AvailableProvisionedConcurrentExecutions": allocation.allocated,
        "AllocatedProvisionedConcurrentExecutions": allocation.allocated,
        "Status": allocation.status.value,
        "StatusReason": allocation.reason,
        "LastModified": config.last_modified.strftime("%Y-%m-%dT%H:%M:%S+0000"),
    }
