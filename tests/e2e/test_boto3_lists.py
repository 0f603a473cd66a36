"""Every waiter and every paginator that boto3 has for what is served, on something to wait for and to list."""

import json
import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from botocore import xform_name
from botocore.exceptions import WaiterError

OPERATIONS = Path(__file__).resolve().parents[2] / "docs" / "operations.md"
ROLE = "arn:aws:iam::000000000000:role/tester"
ASSUME = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)
POLICY = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "logs:*", "Resource": "*"}]})
COUNT = 3
"""Of whatever is listed, so that pages of one each are several."""
OFTEN = {"Delay": 0.05, "MaxAttempts": 200}


def served(service):
    section = OPERATIONS.read_text().partition(f"\n## {service}:")[2].partition("\n## ")[0]
    return re.findall(r"^\| (\w+) \| served", section, re.MULTILINE)


def paginators(client):
    """The served operations of a client that have one."""
    names = map(xform_name, served(client.meta.service_model.service_name))
    return {name for name in names if client.can_paginate(name)}


def collect(client, operation, parameters):
    """All items in pages of one, and in how many pages they came."""
    paginator = client.get_paginator(operation)
    pages = list(paginator.paginate(**parameters, PaginationConfig={"PageSize": 1}))
    (member,) = [key.expression for key in paginator.result_keys][:1]
    return [item for page in pages for item in page.get(member, ())], len(pages)


@pytest.fixture(scope="module")
def listed(start_server, tmp_path_factory):
    """A server of its own: lists show all that an account has."""
    return start_server(tmp_path_factory.mktemp("listed"))


class TestPaginators:
    def test_of_lambda(self, listed, zipped):
        client = listed.client("lambda")
        code = {"ZipFile": zipped({"app.py": "def handler(event, context): pass"})}
        first = None
        options = {"Runtime": "python3.12", "Handler": "app.handler", "Role": ROLE, "Code": code}
        for number in range(COUNT):
            client.create_function(FunctionName=f"f{number}", **options)
            client.publish_layer_version(LayerName="layer", Content=code)
            client.publish_layer_version(LayerName=f"layer{number}", Content=code)
        for number in range(COUNT):
            name = f"f{number}"
            client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.05})
            client.create_event_source_mapping(
                FunctionName="f0", EventSourceArn=f"arn:aws:sqs:us-east-1:000000000000:q{number}", Enabled=False
            )
            profiles = [f"arn:aws:signer:us-east-1:000000000000:/signing-profiles/p{number}"]
            config = client.create_code_signing_config(AllowedPublishers={"SigningProfileVersionArns": profiles})
            first = first or config["CodeSigningConfig"]["CodeSigningConfigArn"]
            client.put_function_code_signing_config(FunctionName=name, CodeSigningConfigArn=first)
            client.update_function_configuration(FunctionName="f0", Description=str(number))
            client.get_waiter("function_updated_v2").wait(FunctionName="f0", WaiterConfig={"Delay": 0.05})
            version = client.publish_version(FunctionName="f0")["Version"]
            client.create_alias(FunctionName="f0", Name=f"a{number}", FunctionVersion=version)
            client.put_function_event_invoke_config(FunctionName="f0", Qualifier=f"a{number}", MaximumRetryAttempts=0)
            client.create_function_url_config(FunctionName="f0", Qualifier=f"a{number}", AuthType="NONE")
            client.put_provisioned_concurrency_config(
                FunctionName="f0", Qualifier=version, ProvisionedConcurrentExecutions=1
            )
        of_function = {"FunctionName": "f0"}
        lists = {
            "list_functions": ({}, COUNT),
            "list_versions_by_function": (of_function, COUNT + 1),
            "list_aliases": (of_function, COUNT),
            "list_layers": ({}, COUNT + 1),
            "list_layer_versions": ({"LayerName": "layer"}, COUNT),
            "list_event_source_mappings": (of_function, COUNT),
            "list_function_event_invoke_configs": (of_function, COUNT),
            "list_function_url_configs": (of_function, COUNT),
            "list_provisioned_concurrency_configs": (of_function, COUNT),
            "list_code_signing_configs": ({}, COUNT),
            "list_functions_by_code_signing_config": ({"CodeSigningConfigArn": first}, COUNT),
        }
        check(client, lists)

    def test_of_iam(self, listed):
        client = listed.client("iam")
        first = None
        for number in range(COUNT):
            each = str(number)
            policy = client.create_policy(PolicyName=f"p{each}", PolicyDocument=POLICY)["Policy"]["Arn"]
            first = first or policy
            client.create_role(RoleName=f"r{each}", AssumeRolePolicyDocument=ASSUME)
            client.create_user(UserName=f"u{each}")
            client.create_group(GroupName=f"g{each}")
            client.create_instance_profile(InstanceProfileName=f"i{each}")
            client.add_role_to_instance_profile(InstanceProfileName=f"i{each}", RoleName="r0")
            client.add_user_to_group(GroupName="g0", UserName=f"u{each}")
            if number:
                client.add_user_to_group(GroupName=f"g{each}", UserName="u0")
                client.create_access_key(UserName="u0")
                client.create_policy_version(PolicyArn=first, PolicyDocument=POLICY)
            tags = [{"Key": each, "Value": ""}]
            client.tag_role(RoleName="r0", Tags=tags)
            client.tag_user(UserName="u0", Tags=tags)
            client.tag_policy(PolicyArn=first, Tags=tags)
            client.tag_instance_profile(InstanceProfileName="i0", Tags=tags)
            client.put_role_policy(RoleName="r0", PolicyName=each, PolicyDocument=POLICY)
            client.put_user_policy(UserName="u0", PolicyName=each, PolicyDocument=POLICY)
            client.put_group_policy(GroupName="g0", PolicyName=each, PolicyDocument=POLICY)
            client.attach_role_policy(RoleName="r0", PolicyArn=policy)
            client.attach_user_policy(UserName="u0", PolicyArn=policy)
            client.attach_group_policy(GroupName="g0", PolicyArn=policy)
        role, user, group = {"RoleName": "r0"}, {"UserName": "u0"}, {"GroupName": "g0"}
        simulated = {"ActionNames": ["logs:PutLogEvents", "s3:GetObject", "sqs:SendMessage"]}
        lists = {
            "get_account_authorization_details": ({"Filter": ["User"]}, COUNT),
            "get_group": (group, COUNT),
            "list_access_keys": (user, 2),  # AWS's quota
            "list_account_aliases": ({}, 0),
            "list_attached_group_policies": (group, COUNT),
            "list_attached_role_policies": (role, COUNT),
            "list_attached_user_policies": (user, COUNT),
            "list_entities_for_policy": ({"PolicyArn": first}, 1),
            "list_group_policies": (group, COUNT),
            "list_groups": ({}, COUNT),
            "list_groups_for_user": (user, COUNT),
            "list_instance_profiles": ({}, COUNT),
            "list_instance_profiles_for_role": (role, COUNT),
            "list_instance_profile_tags": ({"InstanceProfileName": "i0"}, COUNT),
            "list_mfa_devices": (user, 0),
            "list_policies": ({"Scope": "Local"}, COUNT),
            "list_policy_tags": ({"PolicyArn": first}, COUNT),
            "list_policy_versions": ({"PolicyArn": first}, COUNT),
            "list_role_policies": (role, COUNT),
            "list_role_tags": (role, COUNT),
            "list_roles": ({}, COUNT),
            "list_signing_certificates": (user, 0),
            "list_ssh_public_keys": (user, 0),
            "list_user_policies": (user, COUNT),
            "list_user_tags": (user, COUNT),
            "list_users": ({}, COUNT),
            "list_virtual_mfa_devices": ({}, 0),
            "simulate_custom_policy": ({"PolicyInputList": [POLICY], **simulated}, COUNT),
            "simulate_principal_policy": (
                {"PolicySourceArn": "arn:aws:iam::000000000000:role/r0", **simulated},
                COUNT,
            ),
        }
        check(client, lists)

    def test_of_logs(self, listed, eventually):
        client = listed.client("logs")
        now = int(time.time() * 1000)
        for number in range(COUNT):
            client.create_log_group(logGroupName=f"/g{number}")
            client.create_log_stream(logGroupName="/g0", logStreamName=str(number))
            events = [{"timestamp": now, "message": f"message {number}"}]
            client.put_log_events(logGroupName="/g0", logStreamName=str(number), logEvents=events)
            query = client.start_query(logGroupName="/g0", startTime=0, endTime=now, queryString="fields @message")
            eventually(lambda query=query: client.get_query_results(queryId=query["queryId"])["status"] == "Complete")
        lists = {
            "describe_log_groups": ({"logGroupNamePrefix": "/g"}, COUNT),
            "describe_log_streams": ({"logGroupName": "/g0"}, COUNT),
            "filter_log_events": ({"logGroupName": "/g0"}, COUNT),
            "describe_queries": ({"logGroupName": "/g0"}, COUNT),
        }
        check(client, lists)


def check(client, lists):
    assert paginators(client) - set(lists) == set()
    for operation, (parameters, count) in lists.items():
        items, pages = collect(client, operation, parameters)
        assert len(items) == count, operation
        assert len({json.dumps(item, default=str, sort_keys=True) for item in items}) == count, operation
        assert pages >= max(count, 1), operation


class TestWaiters:
    """Each once on what comes to be while it waits, and once on what never does."""

    def test_of_lambda(self, listed, zipped):
        client = listed.client("lambda")
        code = {"ZipFile": zipped({"app.py": "def handler(event, context): pass"})}
        name = {"FunctionName": "awaited"}

        def wait(waiter, **more):
            client.get_waiter(waiter).wait(**name, **more, WaiterConfig=OFTEN)

        with ThreadPoolExecutor(1) as pool:
            coming = pool.submit(wait, "function_exists")
            client.create_function(**name, Runtime="python3.12", Handler="app.handler", Role=ROLE, Code=code)
            coming.result(20)
        wait("function_active")
        wait("function_active_v2")
        assert client.update_function_configuration(**name, Timeout=9)["LastUpdateStatus"] == "InProgress"
        wait("function_updated")
        client.update_function_code(**name, ZipFile=code["ZipFile"])
        wait("function_updated_v2")
        client.publish_version(**name)
        wait("published_version_active", Qualifier="1")
        assert set(client.waiter_names) == {
            "function_active",
            "function_active_v2",
            "function_exists",
            "function_updated",
            "function_updated_v2",
            "published_version_active",
        }
        client.delete_function(**name)
        for waiter in client.waiter_names:
            with pytest.raises(WaiterError):
                client.get_waiter(waiter).wait(**name, WaiterConfig={"Delay": 0, "MaxAttempts": 2})

    def test_of_iam(self, listed):
        client = listed.client("iam")
        policy = "arn:aws:iam::000000000000:policy/awaited"
        awaited = {
            "role_exists": (
                {"RoleName": "awaited"},
                lambda: client.create_role(RoleName="awaited", AssumeRolePolicyDocument=ASSUME),
            ),
            "user_exists": ({"UserName": "awaited"}, lambda: client.create_user(UserName="awaited")),
            "policy_exists": (
                {"PolicyArn": policy},
                lambda: client.create_policy(PolicyName="awaited", PolicyDocument=POLICY),
            ),
            "instance_profile_exists": (
                {"InstanceProfileName": "awaited"},
                lambda: client.create_instance_profile(InstanceProfileName="awaited"),
            ),
        }
        assert set(client.waiter_names) == set(awaited)
        with ThreadPoolExecutor(1) as pool:
            for waiter, (parameters, create) in awaited.items():
                with pytest.raises(WaiterError):
                    client.get_waiter(waiter).wait(**parameters, WaiterConfig={"Delay": 0, "MaxAttempts": 2})
                coming = pool.submit(client.get_waiter(waiter).wait, **parameters, WaiterConfig=OFTEN)
                create()
                coming.result(20)
