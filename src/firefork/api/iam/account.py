"""What concerns a whole account. AWS: IAM API reference, GetAccountSummary, CreateAccountAlias and its like."""

from __future__ import annotations

from typing import Any, Final

from firefork.api.call import Call
from firefork.aws.errors import EntityAlreadyExists, NoSuchEntity
from firefork.catalog.iam.directory import Directory
from firefork.catalog.iam.entities import Group, InstanceProfile, ManagedPolicy, Role, User

_ALIAS: Final = "account-alias"
_PASSWORD_POLICY: Final = "password-policy"
_PASSWORD_DEFAULTS: Final = {
    "MinimumPasswordLength": 6,
    "RequireSymbols": False,
    "RequireNumbers": False,
    "RequireUppercaseCharacters": False,
    "RequireLowercaseCharacters": False,
    "AllowUsersToChangePassword": False,
}
_PASSWORD_MEMBERS: Final = frozenset({*_PASSWORD_DEFAULTS, "MaxPasswordAge", "PasswordReusePrevention", "HardExpiry"})
"""As recorded in 2026 (localstack's test_iam_account_password_policy). It binds nobody: there are no passwords here."""


class Account:
    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    def list_account_aliases(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        found = self._directory.setting(call.scope.account, _ALIAS)
        return {"AccountAliases": [] if found is None else [found[0]], "IsTruncated": False}

    def create_account_alias(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """An account has one: a second takes its place. Nobody else may have it (floci-io/floci#2103)."""
        alias = request["AccountAlias"]
        taken = EntityAlreadyExists(f"The account alias {alias} already exists.")
        self._directory.put_setting(call.scope.account, _ALIAS, alias, {}, taken=taken)
        return {}

    def delete_account_alias(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        alias = request["AccountAlias"]
        if not self._directory.drop_setting(call.scope.account, _ALIAS, alias):
            raise NoSuchEntity(f"The account alias with name {alias} cannot be found.")
        return {}

    def get_account_password_policy(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        found = self._directory.setting(call.scope.account, _PASSWORD_POLICY)
        if found is None:
            raise NoSuchEntity(f"The Password Policy with domain name {call.scope.account} cannot be found.")
        policy = found[1]
        return {"PasswordPolicy": {**policy, "ExpirePasswords": bool(policy.get("MaxPasswordAge"))}}

    def update_account_password_policy(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """What is not given gets its default back, or goes."""
        policy = {name: value for name, value in request.items() if name in _PASSWORD_MEMBERS and value is not None}
        self._directory.put_setting(
            call.scope.account, _PASSWORD_POLICY, "PasswordPolicy", {**_PASSWORD_DEFAULTS, **policy}
        )
        return {}

    def delete_account_password_policy(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        if not self._directory.drop_setting(call.scope.account, _PASSWORD_POLICY, "PasswordPolicy"):
            raise NoSuchEntity("The account policy with name PasswordPolicy cannot be found.")
        return {}

    def get_account_summary(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        account = call.scope.account
        members = {
            "Users": User,
            "Groups": Group,
            "Roles": Role,
            "Policies": ManagedPolicy,
            "InstanceProfiles": InstanceProfile,
        }
        counts = {member: len(self._directory.entities(kind, account)) for member, kind in members.items()}
        quotas = {
            "UsersQuota": 5000,
            "GroupsQuota": 300,
            "RolesQuota": 1000,
            "PoliciesQuota": 1500,
            "InstanceProfilesQuota": 1000,
            "AccessKeysPerUserQuota": 2,
            "AttachedPoliciesPerUserQuota": 10,
            "AttachedPoliciesPerGroupQuota": 10,
            "AttachedPoliciesPerRoleQuota": 10,
            "GroupsPerUserQuota": 10,
            "PolicySizeQuota": 6144,
            "UserPolicySizeQuota": 2048,
            "GroupPolicySizeQuota": 5120,
            "RolePolicySizeQuota": 10240,
            "AssumeRolePolicySizeQuota": 2048,
            "VersionsPerPolicyQuota": 5,
            "PolicyVersionsInUseQuota": 10_000,
            "ServerCertificatesQuota": 20,
            "SigningCertificatesPerUserQuota": 2,
            "GlobalEndpointTokenVersion": 1,
        }
        others = {
            "AccountAccessKeysPresent": 1,
            "AccountMFAEnabled": 0,
            "AccountPasswordPresent": 0,
            "AccountSigningCertificatesPresent": 0,
            "MFADevices": 0,
            "MFADevicesInUse": 0,
            "PolicyVersionsInUse": len(self._directory.attachment_counts(account)),
            "Providers": 0,
            "ServerCertificates": 0,
        }
        return {"SummaryMap": {**counts, **quotas, **others}}
