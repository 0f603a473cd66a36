"""Instance profiles: what deployment tools ask of every role. AWS: IAM API reference, CreateInstanceProfile."""

from __future__ import annotations

import dataclasses
from typing import Any

from firefork.api.call import Call
from firefork.api.iam.paging import page
from firefork.api.iam.roles import merged, tag_page, without
from firefork.api.iam.shapes import fresh, show_instance_profile
from firefork.catalog.iam.directory import Directory, tags_from
from firefork.catalog.iam.entities import InstanceProfile


class InstanceProfiles:
    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    def create_instance_profile(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        tags = tags_from(request.get("Tags") or [])
        profile = InstanceProfile(**fresh(call, InstanceProfile, request, request["InstanceProfileName"], tags))
        self._directory.create(profile)
        return {"InstanceProfile": show_instance_profile(self._directory, profile, tags=False)}

    def get_instance_profile(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        profile = self._directory.get(InstanceProfile, call.scope.account, request["InstanceProfileName"])
        return {"InstanceProfile": show_instance_profile(self._directory, profile, tags=True)}

    def list_instance_profiles(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        profiles = self._directory.entities(InstanceProfile, call.scope.account, request.get("PathPrefix") or "/")
        return self._page(request, profiles)

    def list_instance_profiles_for_role(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        account = call.scope.account
        names = self._directory.containers(InstanceProfile, account, request["RoleName"])
        profiles = [self._directory.get(InstanceProfile, account, name) for name in names]
        return self._page(request, profiles)

    def delete_instance_profile(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        self._directory.delete(InstanceProfile, call.scope.account, request["InstanceProfileName"])
        return {}

    def add_role_to_instance_profile(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        self._directory.add_member(
            InstanceProfile, call.scope.account, request["InstanceProfileName"], request["RoleName"]
        )
        return {}

    def remove_role_from_instance_profile(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        self._directory.remove_member(
            InstanceProfile, call.scope.account, request["InstanceProfileName"], request["RoleName"]
        )
        return {}

    def tag_instance_profile(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        given = tags_from(request["Tags"])
        self._directory.change(
            InstanceProfile,
            call.scope.account,
            request["InstanceProfileName"],
            lambda profile: dataclasses.replace(profile, tags=merged(profile.tags, given)),
        )
        return {}

    def untag_instance_profile(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        self._directory.change(
            InstanceProfile,
            call.scope.account,
            request["InstanceProfileName"],
            lambda profile: dataclasses.replace(profile, tags=without(profile.tags, request["TagKeys"])),
        )
        return {}

    def list_instance_profile_tags(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        profile = self._directory.get(InstanceProfile, call.scope.account, request["InstanceProfileName"])
        return tag_page(request, profile.tags)

    def _page(self, request: dict[str, Any], profiles: list[InstanceProfile]) -> dict[str, Any]:
        return page(
            request,
            "InstanceProfiles",
            profiles,
            lambda profile: profile.name.lower(),
            lambda profile: show_instance_profile(self._directory, profile),
        )
