"""What concerns a whole account. AWS: IAM API reference, GetAccountSummary, ListAccountAliases."""

from __future__ import annotations

from typing import Any

from firefork.api.call import Call
from firefork.aws.errors import NoSuchEntity
from firefork.catalog.iam.directory import Directory
from firefork.catalog.iam.entities import Group, InstanceProfile, ManagedPolicy, Role, User


class Account:
    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    def list_account_aliases(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """An account has none: CreateAccountAlias is not served."""
        return {"AccountAliases": [], "IsTruncated": False}

    def get_account_password_policy(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """An account has none: UpdateAccountPasswordPolicy is not served."""
        raise NoSuchEntity(f"The Password Policy with domain name {call.scope.account} cannot be found.")

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
