"""IAM's answers to requests that it refuses, and the members of the others, as recorded on AWS in February 2026.

The facts come from the recordings that localstack/localstack keeps beside its tests (tests/aws/services/iam/
test_iam_{groups,roles,users,policies,managed_policies,instance_profiles,account_summary,account_password_policy,account_authorization_details,mfa}.
snapshot.json), the words about names from refusals that users of Terraform and of the AWS CLI have published; requests
and table are ours.
"""

import json

import pytest

MISSING, EXISTS, CONFLICT = "NoSuchEntity", "EntityAlreadyExists", "DeleteConflict"
MALFORMED, VALIDATION, INPUT, LIMIT = "MalformedPolicyDocument", "ValidationError", "InvalidInput", "LimitExceeded"
STATUS = {MISSING: 404, EXISTS: 409, CONFLICT: 409, LIMIT: 409, MALFORMED: 400, VALIDATION: 400, INPUT: 400}
POLICY = "arn:aws:iam::000000000000:policy/recorded"
LOGS = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"


def document(**statement):
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})


ALLOWED = document(Action="s3:ListBucket", Resource="*")
TRUST = document(Action="sts:AssumeRole", Principal={"Service": "ec2.amazonaws.com"})
GROUP, ROLE, USER = {"GroupName": "recorded"}, {"RoleName": "recorded"}, {"UserName": "recorded"}
NO_GROUP, NO_ROLE, NO_USER = {"GroupName": "none"}, {"RoleName": "none"}, {"UserName": "none"}
GROUP_GONE = "The group with name none cannot be found."
ROLE_GONE = "The role with name none cannot be found."
USER_GONE = "The user with name none cannot be found."
PROFILE, NO_PROFILE = {"InstanceProfileName": "recorded"}, {"InstanceProfileName": "none"}
PROFILE_GONE = "Instance Profile none cannot be found."
NO_POLICY = POLICY.replace("recorded", "none")
DUPLICATE = "Duplicate tag keys found. Please note that Tag keys are case insensitive."
MANY_VERSIONS = (
    "A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version."
)


def tags(*keys, value=""):
    return [{"Key": key, "Value": value} for key in keys]


def broken(place, constraint):
    """IAM does not repeat the value."""
    return f"1 validation error detected: Value at '{place}' failed to satisfy constraint: {constraint}"


TAG_KEY = r"[\p{L}\p{Z}\p{N}_.:/=+\-@]+"
EACH_KEY = (
    "Member must satisfy constraint: [Member must have length less than or equal to 128, Member must have length "
    f"greater than or equal to 1, Member must satisfy regular expression pattern: {TAG_KEY}, Member must not be null]"
)


def misnamed(place, rule):
    return f"The specified value for {place} is invalid. It must {rule}"


A_NAME = "contain only alphanumeric characters and/or the following: +=,.@_-"
A_PATH = "begin and end with / and contain only alphanumeric characters and/or / characters."
A_PREFIX = "begin with the / character and contain only alphanumeric characters and/or / characters."


def no_version(policy, version):
    return f"Policy {policy} version {version} does not exist or is not attachable."


REFUSALS = [
    ("CreateGroup", GROUP, EXISTS, "Group with name recorded already exists."),
    ("GetGroup", NO_GROUP, MISSING, GROUP_GONE),
    ("DeleteGroup", NO_GROUP, MISSING, GROUP_GONE),
    ("UpdateGroup", {**NO_GROUP, "NewPath": "/new/"}, MISSING, GROUP_GONE),
    ("UpdateGroup", {**GROUP, "NewGroupName": "other"}, EXISTS, "Group with name other already exists."),
    ("AddUserToGroup", {**GROUP, **NO_USER}, MISSING, USER_GONE),
    ("AddUserToGroup", {**NO_GROUP, **USER}, MISSING, GROUP_GONE),
    ("RemoveUserFromGroup", {**NO_GROUP, **NO_USER}, MISSING, USER_GONE),
    (
        "GetGroupPolicy",
        {**GROUP, "PolicyName": "none"},
        MISSING,
        "The group policy with name none cannot be found.",
    ),
    ("DetachGroupPolicy", {**GROUP, "PolicyArn": POLICY}, MISSING, f"Policy {POLICY} was not found."),
    ("CreateRole", {**ROLE, "AssumeRolePolicyDocument": TRUST}, EXISTS, "Role with name recorded already exists."),
    ("GetRole", NO_ROLE, MISSING, ROLE_GONE),
    ("UpdateRole", NO_ROLE, MISSING, ROLE_GONE),
    ("DeleteRole", NO_ROLE, MISSING, ROLE_GONE),
    ("DeleteRole", {"RoleName": "attached"}, CONFLICT, "Cannot delete entity, must detach all policies first."),
    ("DeleteRole", {"RoleName": "inline"}, CONFLICT, "Cannot delete entity, must delete policies first."),
    ("GetRolePolicy", {**ROLE, "PolicyName": "none"}, MISSING, "The role policy with name none cannot be found."),
    ("DeleteRolePolicy", {**ROLE, "PolicyName": "none"}, MISSING, "The role policy with name none cannot be found."),
    ("UpdateAssumeRolePolicy", {**ROLE, "PolicyDocument": "{"}, MALFORMED, "This policy contains invalid Json"),
    (
        "UpdateAssumeRolePolicy",
        {**ROLE, "PolicyDocument": document(Action="s3:ListBucket", Principal={"Service": "ec2.amazonaws.com"})},
        MALFORMED,
        "AssumeRole policy may only specify STS AssumeRole actions.",
    ),
    (
        "UpdateAssumeRolePolicy",
        {
            **ROLE,
            "PolicyDocument": document(
                Action="sts:AssumeRole", Principal={"Service": "ec2.amazonaws.com"}, Resource="*"
            ),
        },
        MALFORMED,
        "Has prohibited field Resource",
    ),
    ("CreateUser", USER, EXISTS, "User with name recorded already exists."),
    ("GetUser", NO_USER, MISSING, USER_GONE),
    ("UpdateUser", {**NO_USER, "NewPath": "/new/"}, MISSING, USER_GONE),
    ("DeleteUser", NO_USER, MISSING, USER_GONE),
    ("DeleteUser", {"UserName": "attached"}, CONFLICT, "Cannot delete entity, must detach all policies first."),
    ("DeleteUser", {"UserName": "inline"}, CONFLICT, "Cannot delete entity, must delete policies first."),
    ("GetLoginProfile", USER, MISSING, "Login Profile for User recorded cannot be found."),
    ("DeleteLoginProfile", USER, MISSING, "Login Profile for User recorded cannot be found."),
    ("DeleteLoginProfile", NO_USER, MISSING, USER_GONE),
    # access keys and policies of users and roles
    ("CreateAccessKey", NO_USER, MISSING, USER_GONE),
    ("CreateAccessKey", {"UserName": "keys"}, LIMIT, "Cannot exceed quota for AccessKeysPerUser: 2"),
    (
        "UpdateAccessKey",
        {**USER, "AccessKeyId": "AKIAIOSFODNN7EXAMPLE", "Status": "Inactive"},
        MISSING,
        "The Access Key with id AKIAIOSFODNN7EXAMPLE cannot be found.",
    ),
    ("DetachUserPolicy", {**USER, "PolicyArn": POLICY}, MISSING, f"Policy {POLICY} was not found."),
    ("DetachRolePolicy", {**ROLE, "PolicyArn": POLICY}, MISSING, f"Policy {POLICY} was not found."),
    (
        "AttachRolePolicy",
        {**ROLE, "PolicyArn": "longpolicynamebutnoarn"},
        VALIDATION,
        "ARN longpolicynamebutnoarn is not valid.",
    ),
    (
        "AttachRolePolicy",
        {**ROLE, "PolicyArn": NO_POLICY},
        MISSING,
        f"Policy {NO_POLICY} does not exist or is not attachable.",
    ),
    (
        "AttachUserPolicy",
        {**USER, "PolicyArn": NO_POLICY},
        MISSING,
        f"Policy {NO_POLICY} does not exist or is not attachable.",
    ),
    # tags
    ("TagRole", {**NO_ROLE, "Tags": tags("a")}, MISSING, ROLE_GONE),
    ("UntagRole", {**NO_ROLE, "TagKeys": ["a"]}, MISSING, ROLE_GONE),
    ("ListRoleTags", NO_ROLE, MISSING, ROLE_GONE),
    ("TagUser", {**NO_USER, "Tags": tags("a")}, MISSING, USER_GONE),
    ("UntagUser", {**NO_USER, "TagKeys": ["a"]}, MISSING, USER_GONE),
    ("ListUserTags", NO_USER, MISSING, USER_GONE),
    (
        "TagRole",
        {**ROLE, "Tags": tags(*map(str, range(51)))},
        VALIDATION,
        broken("tags", "Member must have length less than or equal to 50"),
    ),
    ("TagRole", {**ROLE, "Tags": tags("a", "a")}, INPUT, DUPLICATE),
    ("TagRole", {**ROLE, "Tags": tags("a", "A")}, INPUT, DUPLICATE),
    (
        "TagRole",
        {**ROLE, "Tags": tags("k" * 129)},
        VALIDATION,
        broken("tags.1.member.key", "Member must have length less than or equal to 128"),
    ),
    (
        "TagRole",
        {**ROLE, "Tags": tags("a", value="v" * 257)},
        VALIDATION,
        broken("tags.1.member.value", "Member must have length less than or equal to 256"),
    ),
    (
        "TagRole",
        {**ROLE, "Tags": tags("a!")},
        VALIDATION,
        broken("tags.1.member.key", r"Member must satisfy regular expression pattern: [\p{L}\p{Z}\p{N}_.:/=+\-@]+"),
    ),
    (
        "UntagRole",
        {**ROLE, "TagKeys": ["k"] * 51},
        VALIDATION,
        broken("tagKeys", "Member must have length less than or equal to 50"),
    ),
    ("UntagRole", {**ROLE, "TagKeys": ["k" * 129]}, VALIDATION, broken("tagKeys", EACH_KEY)),
    ("UntagRole", {**ROLE, "TagKeys": ["a!"]}, VALIDATION, broken("tagKeys", EACH_KEY)),
    # names and paths
    ("GetRole", {"RoleName": "service-role/r"}, VALIDATION, misnamed("roleName", A_NAME)),
    ("DeleteGroupPolicy", {**GROUP, "PolicyName": LOGS}, VALIDATION, misnamed("policyName", A_NAME)),
    ("UpdateUser", {**USER, "NewUserName": "a b"}, VALIDATION, misnamed("newUserName", A_NAME)),
    ("CreateUser", {"UserName": "u", "Path": "x/"}, VALIDATION, misnamed("path", A_PATH)),
    ("ListUsers", {"PathPrefix": "x"}, VALIDATION, misnamed("pathPrefix", A_PREFIX)),
    (
        "CreateUser",
        {"UserName": "u!", "Path": "/" + "x" * 511 + "/"},
        VALIDATION,
        broken("path", "Member must have length less than or equal to 512"),
    ),
    ("GetRole", {}, VALIDATION, broken("roleName", "Member must not be null")),
    # permissions boundaries
    (
        "PutRolePermissionsBoundary",
        {**ROLE, "PermissionsBoundary": POLICY.replace("policy/", "not_a_policy/")},
        INPUT,
        f"ARN {POLICY.replace('policy/', 'not_a_policy/')} is not valid.",
    ),
    (
        "PutRolePermissionsBoundary",
        {**ROLE, "PermissionsBoundary": NO_POLICY},
        MISSING,
        f"Scope ARN: {NO_POLICY} does not exist or is not attachable.",
    ),
    ("PutRolePermissionsBoundary", {**NO_ROLE, "PermissionsBoundary": POLICY}, MISSING, ROLE_GONE),
    # managed policies
    (
        "CreatePolicy",
        {"PolicyName": "recorded", "PolicyDocument": ALLOWED},
        EXISTS,
        "A policy called recorded already exists. Duplicate names are not allowed.",
    ),
    ("CreatePolicyVersion", {"PolicyArn": f"{POLICY}-5", "PolicyDocument": ALLOWED}, LIMIT, MANY_VERSIONS),
    ("GetPolicyVersion", {"PolicyArn": NO_POLICY, "VersionId": "v1"}, MISSING, no_version(NO_POLICY, "v1")),
    ("GetPolicyVersion", {"PolicyArn": POLICY, "VersionId": "v9"}, MISSING, no_version(POLICY, "v9")),
    ("DeletePolicyVersion", {"PolicyArn": POLICY, "VersionId": "v9"}, MISSING, no_version(POLICY, "v9")),
    (
        "DeletePolicyVersion",
        {"PolicyArn": POLICY, "VersionId": "v1"},
        CONFLICT,
        "Cannot delete the default version of a policy.",
    ),
    ("SetDefaultPolicyVersion", {"PolicyArn": NO_POLICY, "VersionId": "v1"}, MISSING, no_version(NO_POLICY, "v1")),
    (
        "GetPolicyVersion",
        {"PolicyArn": LOGS, "VersionId": "1"},
        VALIDATION,
        broken("versionId", r"Member must satisfy regular expression pattern: v[1-9][0-9]*(\.[A-Za-z0-9-]*)?"),
    ),
    (
        "ListEntitiesForPolicy",
        {"PolicyArn": NO_POLICY},
        MISSING,
        f"Policy {NO_POLICY} does not exist or is not attachable.",
    ),
    ("TagPolicy", {"PolicyArn": NO_POLICY, "Tags": tags("a")}, MISSING, f"Policy {NO_POLICY} was not found."),
    ("UntagPolicy", {"PolicyArn": NO_POLICY, "TagKeys": ["a"]}, MISSING, f"Policy {NO_POLICY} was not found."),
    ("TagPolicy", {"PolicyArn": POLICY, "Tags": tags("a", "a")}, INPUT, "Duplicate tag keys found."),
    ("DetachRolePolicy", {**ROLE, "PolicyArn": LOGS}, MISSING, f"Policy {LOGS} was not found."),
    # instance profiles
    ("GetInstanceProfile", NO_PROFILE, MISSING, PROFILE_GONE),
    ("DeleteInstanceProfile", NO_PROFILE, MISSING, PROFILE_GONE),
    ("CreateInstanceProfile", PROFILE, EXISTS, "Instance Profile recorded already exists."),
    (
        "DeleteInstanceProfile",
        PROFILE,
        CONFLICT,
        "Cannot delete entity, must remove roles from instance profile first.",
    ),
    (
        "AddRoleToInstanceProfile",
        {**PROFILE, "RoleName": "inline"},
        LIMIT,
        "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1",
    ),
    ("AddRoleToInstanceProfile", {**NO_PROFILE, **ROLE}, MISSING, PROFILE_GONE),
    ("RemoveRoleFromInstanceProfile", {**PROFILE, **NO_ROLE}, MISSING, ROLE_GONE),
    (
        "RemoveRoleFromInstanceProfile",
        {**PROFILE, "RoleName": "inline"},
        MISSING,
        "Role inline in Instance Profile recorded cannot be found.",
    ),
    ("TagInstanceProfile", {**NO_PROFILE, "Tags": tags("a")}, MISSING, PROFILE_GONE),
    (
        "DeleteRole",
        {"RoleName": "recorded"},
        CONFLICT,
        "Cannot delete entity, must remove roles from instance profile first.",
    ),
    # the account
    (
        "GetAccountPasswordPolicy",
        {},
        MISSING,
        "The Password Policy with domain name 000000000000 cannot be found.",
    ),
    ("ListUsers", {"Marker": "wrong"}, VALIDATION, "Invalid Marker."),
    (
        "DeleteAccessKey",
        {"AccessKeyId": "AKIAIOSFODNN7EXAMPLE"},
        VALIDATION,
        "Must specify userName when calling with non-User credentials",
    ),
]

SUMMARY = {
    *("AccessKeysPerUserQuota", "AccountAccessKeysPresent", "AccountMFAEnabled", "AccountPasswordPresent"),
    *("AccountSigningCertificatesPresent", "AssumeRolePolicySizeQuota", "AttachedPoliciesPerGroupQuota"),
    *("AttachedPoliciesPerRoleQuota", "AttachedPoliciesPerUserQuota", "GlobalEndpointTokenVersion"),
    *("GroupPolicySizeQuota", "Groups", "GroupsPerUserQuota", "GroupsQuota", "InstanceProfiles"),
    *("InstanceProfilesQuota", "MFADevices", "MFADevicesInUse", "Policies", "PoliciesQuota", "PolicySizeQuota"),
    *("PolicyVersionsInUse", "PolicyVersionsInUseQuota", "Providers", "RolePolicySizeQuota", "Roles", "RolesQuota"),
    *("ServerCertificates", "ServerCertificatesQuota", "SigningCertificatesPerUserQuota", "UserPolicySizeQuota"),
    *("Users", "UsersQuota", "VersionsPerPolicyQuota"),
}

NEW_ROLE = {"Arn", "AssumeRolePolicyDocument", "CreateDate", "Path", "RoleId", "RoleName"}
KNOWN_ROLE = NEW_ROLE | {"MaxSessionDuration", "RoleLastUsed"}
KNOWN_USER = {"Arn", "CreateDate", "Path", "UserId", "UserName"}
KNOWN_GROUP = {"Arn", "CreateDate", "GroupId", "GroupName", "Path"}
KNOWN_POLICY = {
    *("Arn", "AttachmentCount", "CreateDate", "DefaultVersionId", "IsAttachable", "Path"),
    *("PermissionsBoundaryUsageCount", "PolicyId", "PolicyName", "UpdateDate"),
}
KNOWN_PROFILE = {"Arn", "CreateDate", "InstanceProfileId", "InstanceProfileName", "Path", "Roles"}
DETAILS = {
    "User": (
        "UserDetailList",
        {
            "recorded": KNOWN_USER | {"AttachedManagedPolicies", "GroupList", "Tags"},
            "inline": KNOWN_USER | {"AttachedManagedPolicies", "GroupList", "Tags", "UserPolicyList"},
        },
    ),
    "Group": ("GroupDetailList", {"recorded": KNOWN_GROUP | {"AttachedManagedPolicies", "GroupPolicyList"}}),
    "Role": (
        "RoleDetailList",
        {
            "recorded": {
                *NEW_ROLE,
                *("AttachedManagedPolicies", "InstanceProfileList", "RoleLastUsed", "RolePolicyList", "Tags"),
            }
        },
    ),
    "LocalManagedPolicy": ("Policies", {"recorded": KNOWN_POLICY | {"PolicyVersionList"}}),
}
"""The lists of GetAccountAuthorizationDetails, by filter: members of some of their entries."""

SHAPES = [
    ("CreateRole", {"RoleName": "shape", "AssumeRolePolicyDocument": TRUST}, "Role", NEW_ROLE),
    ("GetRole", {"RoleName": "shape"}, "Role", KNOWN_ROLE),
    ("UpdateRoleDescription", {"RoleName": "shape", "Description": "d"}, "Role", NEW_ROLE | {"Description"}),
    ("GetRole", {"RoleName": "shape"}, "Role", KNOWN_ROLE | {"Description"}),
    ("CreateUser", {"UserName": "shape"}, "User", KNOWN_USER),
    ("GetUser", {"UserName": "shape"}, "User", KNOWN_USER),
    ("CreateGroup", {"GroupName": "shape"}, "Group", KNOWN_GROUP),
    ("GetGroup", {"GroupName": "shape"}, "Group", KNOWN_GROUP),
    ("CreatePolicy", {"PolicyName": "shape", "PolicyDocument": ALLOWED}, "Policy", KNOWN_POLICY),
    ("GetPolicy", {"PolicyArn": POLICY.replace("recorded", "shape")}, "Policy", KNOWN_POLICY | {"Tags"}),
    ("CreateInstanceProfile", {"InstanceProfileName": "shape"}, "InstanceProfile", KNOWN_PROFILE),
    ("GetInstanceProfile", {"InstanceProfileName": "shape"}, "InstanceProfile", KNOWN_PROFILE | {"Tags"}),
    (
        "CreateAccessKey",
        {"UserName": "shape"},
        "AccessKey",
        {"AccessKeyId", "CreateDate", "SecretAccessKey", "Status", "UserName"},
    ),
    ("GetPolicy", {"PolicyArn": LOGS}, "Policy", KNOWN_POLICY | {"Description", "Tags"}),
    (
        "GetPolicyVersion",
        {"PolicyArn": LOGS, "VersionId": "v1"},
        "PolicyVersion",
        {"CreateDate", "Document", "IsDefaultVersion", "VersionId"},
    ),
]


@pytest.fixture(scope="module")
def recorded(start_server, tmp_path_factory):
    """Sends a request that the client does not check, to a server of its own; the answer, or the error's."""
    server = start_server(tmp_path_factory.mktemp("recorded"))
    client, send = server.unchecked("iam")
    for name in ("recorded", "attached", "inline"):
        client.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
        client.create_user(UserName=name)
    for name in ("recorded", "other"):
        client.create_group(GroupName=name)
    client.create_policy(PolicyName="recorded", PolicyDocument=ALLOWED)
    full = client.create_policy(PolicyName="recorded-5", PolicyDocument=ALLOWED)["Policy"]["Arn"]
    for _ in range(4):
        client.create_policy_version(PolicyArn=full, PolicyDocument=ALLOWED)
    client.create_user(UserName="keys")
    for _ in range(2):
        client.create_access_key(UserName="keys")
    client.create_instance_profile(InstanceProfileName="recorded")
    client.add_role_to_instance_profile(InstanceProfileName="recorded", RoleName="recorded")
    client.attach_role_policy(RoleName="attached", PolicyArn=POLICY)
    client.attach_user_policy(UserName="attached", PolicyArn=POLICY)
    client.put_role_policy(RoleName="inline", PolicyName="p", PolicyDocument=ALLOWED)
    client.put_user_policy(UserName="inline", PolicyName="p", PolicyDocument=ALLOWED)

    return send


class TestRefusals:
    @pytest.mark.parametrize(("operation", "parameters", "code", "message"), REFUSALS)
    def test_are_those_of_aws(self, recorded, operation, parameters, code, message):
        answer = recorded(operation, parameters)
        assert answer["Error"] == {"Code": code, "Message": message, "Type": "Sender"}
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == STATUS[code]


class TestShapes:
    """In this order: what one row creates the next ones ask for."""

    @pytest.mark.parametrize(("operation", "parameters", "member", "members"), SHAPES)
    def test_members(self, recorded, operation, parameters, member, members):
        assert set(recorded(operation, parameters)[member]) == members

    def test_the_account_in_numbers(self, recorded):
        assert set(recorded("GetAccountSummary", {})["SummaryMap"]) == SUMMARY

    def test_the_password_policy(self, recorded):
        """In the end there is none again, as the refusals above want it."""
        recorded("UpdateAccountPasswordPolicy", {"HardExpiry": True, "MaxPasswordAge": 60, "RequireNumbers": True})
        whole = recorded("GetAccountPasswordPolicy", {})["PasswordPolicy"]
        assert (whole["ExpirePasswords"], whole["HardExpiry"], whole["RequireNumbers"]) == (True, True, True)
        recorded("UpdateAccountPasswordPolicy", {})  # nothing stays
        switches = ("AllowUsersToChangePassword", "ExpirePasswords", "RequireLowercaseCharacters", "RequireNumbers")
        assert recorded("GetAccountPasswordPolicy", {})["PasswordPolicy"] == {
            "MinimumPasswordLength": 6,
            **dict.fromkeys((*switches, "RequireSymbols", "RequireUppercaseCharacters"), False),
        }
        recorded("DeleteAccountPasswordPolicy", {})
        gone = recorded("DeleteAccountPasswordPolicy", {})["Error"]
        assert (gone["Code"], gone["Message"]) == (
            "NoSuchEntity",
            "The account policy with name PasswordPolicy cannot be found.",
        )

    def test_a_second_alias_takes_the_place_of_the_first(self, recorded):
        """floci-io/floci#2103, tried on AWS; the refusal's text as in trussworks/terraform-aws-bootstrap#118."""
        for alias in ("one-alias", "other-alias"):
            recorded("CreateAccountAlias", {"AccountAlias": alias})
        assert recorded("ListAccountAliases", {})["AccountAliases"] == ["other-alias"]
        refusal = recorded("CreateAccountAlias", {"AccountAlias": "other-alias"})
        assert refusal["ResponseMetadata"]["HTTPStatusCode"] == 409
        assert refusal["Error"]["Message"] == "The account alias other-alias already exists."
        assert recorded("DeleteAccountAlias", {"AccountAlias": "one-alias"})["Error"]["Code"] == "NoSuchEntity"
        recorded("DeleteAccountAlias", {"AccountAlias": "other-alias"})
        assert recorded("ListAccountAliases", {})["AccountAliases"] == []

    def test_a_service_has_one_role_of_a_suffix(self, recorded):
        """The name and the refusal that the guides of Karpenter and of AWS Batch tell their readers to expect."""
        asked = {"AWSServiceName": "spot.amazonaws.com"}
        assert recorded("CreateServiceLinkedRole", asked)["Role"]["RoleName"] == "AWSServiceRoleForEC2Spot"
        refusal = recorded("CreateServiceLinkedRole", asked)["Error"]
        assert (refusal["Code"], refusal["Message"]) == (
            INPUT,
            "Service role name AWSServiceRoleForEC2Spot has been taken in this account, please try a different suffix.",
        )

    @pytest.mark.parametrize(("kind", "member", "members"), [(kind, *rest) for kind, rest in DETAILS.items()])
    def test_details_of_one_kind(self, recorded, kind, member, members):
        answer = recorded("GetAccountAuthorizationDetails", {"Filter": [kind]})
        assert {name for name, found in answer.items() if found == []} == {rest[0] for rest in DETAILS.values()} - {
            member
        }
        (name,) = {"PolicyName", f"{kind}Name"} & set(answer[member][0])
        found = {entry[name]: set(entry) for entry in answer[member]}
        assert {name: found[name] for name in members} == members

    def test_details_of_everything(self, recorded):
        recorded("AttachRolePolicy", {**ROLE, "PolicyArn": LOGS})
        recorded("PutRolePermissionsBoundary", {**ROLE, "PermissionsBoundary": POLICY})
        answer = recorded("GetAccountAuthorizationDetails", {})
        (role,) = (role for role in answer["RoleDetailList"] if role["RoleName"] == "recorded")
        assert role["AttachedManagedPolicies"] == [{"PolicyName": LOGS.rpartition("/")[2], "PolicyArn": LOGS}]
        assert role["PermissionsBoundary"] == {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": POLICY}
        (profile,) = role["InstanceProfileList"]
        assert (set(profile), [set(role) for role in profile["Roles"]]) == (KNOWN_PROFILE, [NEW_ROLE])
        (user,) = (user for user in answer["UserDetailList"] if user["UserName"] == "inline")
        assert user["UserPolicyList"] == [{"PolicyName": "p", "PolicyDocument": json.loads(ALLOWED)}]
        policies = {policy["Arn"]: policy for policy in answer["Policies"]}
        assert [arn for arn in policies if arn.startswith("arn:aws:iam::aws:")] == [LOGS]  # only those in use
        assert policies[POLICY]["PermissionsBoundaryUsageCount"] == 1
        versions = policies[f"{POLICY}-5"]["PolicyVersionList"]
        assert [version["VersionId"] for version in versions] == ["v5", "v4", "v3", "v2", "v1"]
        assert versions[4]["IsDefaultVersion"]
        assert versions[0]["Document"] == json.loads(ALLOWED)

    def test_details_come_in_pages(self, recorded):
        lists = [member for member, _ in DETAILS.values()]
        whole, parts, asked = recorded("GetAccountAuthorizationDetails", {}), {name: [] for name in lists}, {}
        while True:
            answer = recorded("GetAccountAuthorizationDetails", {"MaxItems": 4, **asked})
            assert sum(len(answer[name]) for name in lists) <= 4
            parts = {name: parts[name] + answer[name] for name in lists}
            if not answer["IsTruncated"]:
                break
            asked = {"Marker": answer["Marker"]}
        assert parts == {name: whole[name] for name in lists}

    def test_tags_of_a_policy(self, recorded):
        """As given in the answer to CreatePolicy, later the shorter keys first."""
        given = tags("abc", "b", "z", "a")
        policy = recorded("CreatePolicy", {"PolicyName": "order", "PolicyDocument": ALLOWED, "Tags": given})["Policy"]
        assert policy["Tags"] == given
        asked = {"PolicyArn": policy["Arn"]}
        assert recorded("ListPolicyTags", asked)["Tags"] == tags("a", "b", "z", "abc")
        first = recorded("ListPolicyTags", {**asked, "MaxItems": 3})
        assert recorded("ListPolicyTags", {**asked, "Marker": first["Marker"]})["Tags"] == tags("abc")

    @pytest.mark.parametrize(
        ("operation", "member"),
        [
            ("ListMFADevices", "MFADevices"),
            ("ListSSHPublicKeys", "SSHPublicKeys"),
            ("ListServiceSpecificCredentials", "ServiceSpecificCredentials"),
            ("ListSigningCertificates", "Certificates"),
        ],
    )
    def test_lists_of_what_cannot_be_made(self, recorded, operation, member):
        answer = recorded(operation, USER)
        del answer["ResponseMetadata"]
        assert answer == {member: [], "IsTruncated": False}

    def test_a_group_lists_its_users_without_more_members(self, recorded):
        recorded("AddUserToGroup", {**GROUP, **USER})
        recorded("AddUserToGroup", {**GROUP, **USER})  # twice is once
        answer = recorded("GetGroup", GROUP)
        assert [set(user) for user in answer["Users"]] == [KNOWN_USER]
        assert answer["IsTruncated"] is False
