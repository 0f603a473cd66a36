"""Every served command of `aws lambda`, `aws iam` and `aws logs`, in the order in which a user would meet them.

The commands run inside this process, by the AWS CLI's own driver: a process for each would take a second for each.
tests/e2e/test_aws_cli.py types some of them into a shell.
"""

import io
import json
import re
import shlex
import string
import time
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
from awscli.clidriver import create_clidriver

OPERATIONS = Path(__file__).resolve().parents[2] / "docs" / "operations.md"
NOT_COMMANDS = {"InvokeWithResponseStream", "StartLiveTail"}
"""Answers of events: the AWS CLI has no command for the one, and a command that never ends for the other."""

# Each line is a command, as typed after `aws`. `name = command` keeps what it prints as $name, `command => text` says
# what it prints, `command ~> text` what it prints sooner or later, `command !! code` which error it ends with.

FUNCTIONS = """
lambda create-function --function-name tour --runtime python3.12 --handler app.handler --role $role --zip-file fileb://code.zip --tags team=a --query State => Pending
lambda wait function-exists --function-name tour
lambda wait function-active --function-name tour
lambda wait function-active-v2 --function-name tour
arn = lambda get-function --function-name tour --query Configuration.FunctionArn
lambda get-function --function-name tour --query Configuration.[State,LastUpdateStatus] => Active Successful
lambda list-functions --query "Functions[?FunctionName=='tour'].Handler" => app.handler
lambda update-function-configuration --function-name tour --description first --timeout 9 --environment Variables={MODE=1} --query LastUpdateStatus => InProgress
lambda wait function-updated --function-name tour
lambda get-function-configuration --function-name tour --query [Description,Timeout,Environment.Variables.MODE] => first 9 1
lambda update-function-code --function-name tour --zip-file fileb://code.zip --query LastUpdateStatus => InProgress
lambda wait function-updated-v2 --function-name tour
lambda update-function-code --function-name tour --zip-file fileb://code.zip --dry-run --query Description => first
lambda publish-version --function-name tour --description one --query Version => 1
lambda wait published-version-active --function-name tour --qualifier 1
lambda update-function-configuration --function-name tour --timeout 10 --query Timeout => 10
lambda wait function-updated-v2 --function-name tour
lambda publish-version --function-name tour --query Version => 2
lambda list-versions-by-function --function-name tour --query Versions[].Version => $$LATEST 1 2
lambda create-alias --function-name tour --name live --function-version 1 --query Name => live
lambda update-alias --function-name tour --name live --routing-config AdditionalVersionWeights={2=0.5} --query RoutingConfig.AdditionalVersionWeights => 0.5
lambda get-alias --function-name tour --name live --query FunctionVersion => 1
lambda list-aliases --function-name tour --query Aliases[].Name => live
lambda update-alias --function-name tour --name live --routing-config AdditionalVersionWeights={} --query RoutingConfig => None
lambda invoke --function-name tour --qualifier live --payload {\\"name\\":\\"you\\"} answer.json --query [StatusCode,ExecutedVersion] => 200 1
lambda invoke --function-name tour --invocation-type DryRun answer.json --query StatusCode => 204
lambda invoke --function-name tour --invocation-type Event --payload {} answer.json --query StatusCode => 202
lambda invoke-async --function-name tour --invoke-args event.json --query Status => 202
lambda invoke --function-name tour:nothing answer.json !! ResourceNotFoundException
lambda list-tags --resource $arn --query Tags.team => a
lambda tag-resource --resource $arn --tags cost=7
lambda untag-resource --resource $arn --tag-keys team
lambda list-tags --resource $arn --query keys(Tags) => cost
lambda get-account-settings --query AccountLimit.CodeSizeZipped => 52428800
"""

OPTIONS = """
lambda add-permission --function-name tour --statement-id s3 --action lambda:InvokeFunction --principal s3.amazonaws.com --query "contains(Statement,'s3.amazonaws.com')" => True
lambda get-policy --function-name tour --query "contains(Policy,'s3')" => True
lambda get-resource-policy --resource-arn $arn --query "contains(Policy,'s3')" => True
lambda remove-permission --function-name tour --statement-id s3
lambda get-policy --function-name tour !! ResourceNotFoundException
lambda put-resource-policy --resource-arn $arn --policy file://resource-policy.json --query "contains(Policy,'whole')" => True
lambda delete-resource-policy --resource-arn $arn
lambda put-function-concurrency --function-name tour --reserved-concurrent-executions 3 => 3
lambda get-function-concurrency --function-name tour => 3
lambda put-provisioned-concurrency-config --function-name tour --qualifier 2 --provisioned-concurrent-executions 1 --query Status => IN_PROGRESS
lambda get-provisioned-concurrency-config --function-name tour --qualifier 2 --query Status ~> READY
lambda list-provisioned-concurrency-configs --function-name tour --query ProvisionedConcurrencyConfigs[].FunctionArn => $arn:2
lambda delete-provisioned-concurrency-config --function-name tour --qualifier 2
lambda delete-function-concurrency --function-name tour
lambda get-function-concurrency --function-name tour =>
lambda put-function-event-invoke-config --function-name tour --maximum-retry-attempts 1 --query MaximumRetryAttempts => 1
lambda update-function-event-invoke-config --function-name tour --maximum-event-age-in-seconds 60 --query [MaximumRetryAttempts,MaximumEventAgeInSeconds] => 1 60
lambda get-function-event-invoke-config --function-name tour --query MaximumEventAgeInSeconds => 60
lambda list-function-event-invoke-configs --function-name tour --query FunctionEventInvokeConfigs[].MaximumRetryAttempts => 1
lambda delete-function-event-invoke-config --function-name tour
lambda get-function-event-invoke-config --function-name tour !! ResourceNotFoundException
lambda create-function-url-config --function-name tour --auth-type AWS_IAM --query AuthType => AWS_IAM
lambda update-function-url-config --function-name tour --invoke-mode RESPONSE_STREAM --query InvokeMode => RESPONSE_STREAM
lambda get-function-url-config --function-name tour --query FunctionArn => $arn
lambda list-function-url-configs --function-name tour --query FunctionUrlConfigs[].InvokeMode => RESPONSE_STREAM
lambda delete-function-url-config --function-name tour
lambda put-runtime-management-config --function-name tour --update-runtime-on FunctionUpdate --query UpdateRuntimeOn => FunctionUpdate
lambda get-runtime-management-config --function-name tour --query UpdateRuntimeOn => FunctionUpdate
lambda put-function-recursion-config --function-name tour --recursive-loop Allow => Allow
lambda get-function-recursion-config --function-name tour => Allow
lambda get-function-scaling-config --function-name tour --qualifier 1 --query FunctionArn => $arn:1
lambda put-function-scaling-config --function-name tour --qualifier 1 --function-scaling-config MinExecutionEnvironments=1 => Active
config = lambda create-code-signing-config --allowed-publishers SigningProfileVersionArns=$profile --query CodeSigningConfig.CodeSigningConfigArn
lambda update-code-signing-config --code-signing-config-arn $config --description ours --query CodeSigningConfig.Description => ours
lambda get-code-signing-config --code-signing-config-arn $config --query CodeSigningConfig.Description => ours
lambda list-code-signing-configs --query "CodeSigningConfigs[?CodeSigningConfigArn=='$config'].Description" => ours
lambda put-function-code-signing-config --function-name tour --code-signing-config-arn $config --query FunctionName => tour
lambda get-function-code-signing-config --function-name tour --query CodeSigningConfigArn => $config
lambda list-functions-by-code-signing-config --code-signing-config-arn $config --query FunctionArns => $arn
lambda delete-code-signing-config --code-signing-config-arn $config !! ResourceConflictException
lambda delete-function-code-signing-config --function-name tour
lambda delete-code-signing-config --code-signing-config-arn $config
mapping = lambda create-event-source-mapping --function-name tour --event-source-arn $queue --no-enabled --query UUID
lambda get-event-source-mapping --uuid $mapping --query EventSourceArn => $queue
lambda list-event-source-mappings --function-name tour --query EventSourceMappings[].UUID => $mapping
lambda get-event-source-mapping --uuid $mapping --query State ~> Disabled
lambda update-event-source-mapping --uuid $mapping --batch-size 7 --query BatchSize => 7
lambda get-event-source-mapping --uuid $mapping --query State ~> Disabled
lambda delete-event-source-mapping --uuid $mapping --query State => Deleting
"""

LAYERS_AND_THE_END = """
lambda publish-layer-version --layer-name tour-layer --zip-file fileb://code.zip --compatible-runtimes python3.12 --query Version => 1
layer = lambda get-layer-version --layer-name tour-layer --version-number 1 --query LayerVersionArn
lambda get-layer-version-by-arn --arn $layer --query Version => 1
lambda list-layer-versions --layer-name tour-layer --query LayerVersions[].Version => 1
lambda list-layers --compatible-runtime python3.12 --query "Layers[?LayerName=='tour-layer'].LatestMatchingVersion.Version" => 1
lambda add-layer-version-permission --layer-name tour-layer --version-number 1 --statement-id all --action lambda:GetLayerVersion --principal * --query "contains(Statement,'all')" => True
lambda get-layer-version-policy --layer-name tour-layer --version-number 1 --query "contains(Policy,'all')" => True
lambda remove-layer-version-permission --layer-name tour-layer --version-number 1 --statement-id all
lambda delete-layer-version --layer-name tour-layer --version-number 1
lambda get-layer-version --layer-name tour-layer --version-number 1 !! ResourceNotFoundException
lambda delete-alias --function-name tour --name live
lambda delete-function --function-name tour
lambda get-function --function-name tour !! ResourceNotFoundException
"""

ROLES_AND_POLICIES = """
iam create-role --role-name tour --assume-role-policy-document file://trust.json --tags Key=a,Value=1 --query Role.Arn => arn:aws:iam::000000000000:role/tour
iam wait role-exists --role-name tour
iam update-role --role-name tour --max-session-duration 7200
iam update-role-description --role-name tour --description second --query Role.Description => second
iam update-assume-role-policy --role-name tour --policy-document file://trust.json
iam get-role --role-name tour --query Role.[Description,MaxSessionDuration] => second 7200
iam list-roles --query "Roles[?RoleName=='tour'].Path" => /
iam tag-role --role-name tour --tags Key=b,Value=2
iam untag-role --role-name tour --tag-keys a
iam list-role-tags --role-name tour --query Tags[].Key => b
policy = iam create-policy --policy-name tour --policy-document file://policy.json --query Policy.Arn
iam wait policy-exists --policy-arn $policy
iam create-policy-version --policy-arn $policy --policy-document file://policy.json --query PolicyVersion.VersionId => v2
iam set-default-policy-version --policy-arn $policy --version-id v2
iam get-policy --policy-arn $policy --query Policy.DefaultVersionId => v2
iam get-policy-version --policy-arn $policy --version-id v2 --query PolicyVersion.Document.Statement[].Action => logs:*
iam list-policy-versions --policy-arn $policy --query Versions[].VersionId => v2 v1
iam delete-policy-version --policy-arn $policy --version-id v1
iam list-policies --scope Local --query "Policies[?PolicyName=='tour'].Arn" => $policy
iam tag-policy --policy-arn $policy --tags Key=a,Value=1
iam list-policy-tags --policy-arn $policy --query Tags[].Value => 1
iam untag-policy --policy-arn $policy --tag-keys a
iam put-role-policy --role-name tour --policy-name in --policy-document file://policy.json
iam get-role-policy --role-name tour --policy-name in --query PolicyDocument.Statement[].Effect => Allow
iam list-role-policies --role-name tour --query PolicyNames => in
iam attach-role-policy --role-name tour --policy-arn $policy
iam list-attached-role-policies --role-name tour --query AttachedPolicies[].PolicyArn => $policy
iam list-entities-for-policy --policy-arn $policy --query PolicyRoles[].RoleName => tour
iam put-role-permissions-boundary --role-name tour --permissions-boundary $policy
iam get-role --role-name tour --query Role.PermissionsBoundary.PermissionsBoundaryArn => $policy
iam delete-role-permissions-boundary --role-name tour
iam get-context-keys-for-custom-policy --policy-input-list file://policies.json --query ContextKeyNames => aws:username
iam get-context-keys-for-principal-policy --policy-source-arn arn:aws:iam::000000000000:role/tour --query ContextKeyNames => aws:username
iam simulate-custom-policy --policy-input-list file://open-policies.json --action-names logs:PutLogEvents --query EvaluationResults[].EvalDecision => allowed
iam simulate-principal-policy --policy-source-arn arn:aws:iam::000000000000:role/tour --action-names s3:GetObject --query EvaluationResults[].EvalDecision => implicitDeny
iam create-instance-profile --instance-profile-name tour --query InstanceProfile.Path => /
iam wait instance-profile-exists --instance-profile-name tour
iam add-role-to-instance-profile --instance-profile-name tour --role-name tour
iam get-instance-profile --instance-profile-name tour --query InstanceProfile.Roles[].RoleName => tour
iam list-instance-profiles --query InstanceProfiles[].InstanceProfileName => tour
iam list-instance-profiles-for-role --role-name tour --query InstanceProfiles[].InstanceProfileName => tour
iam tag-instance-profile --instance-profile-name tour --tags Key=a,Value=1
iam list-instance-profile-tags --instance-profile-name tour --query Tags[].Key => a
iam untag-instance-profile --instance-profile-name tour --tag-keys a
iam delete-role --role-name tour !! DeleteConflict
iam remove-role-from-instance-profile --instance-profile-name tour --role-name tour
iam delete-instance-profile --instance-profile-name tour
iam detach-role-policy --role-name tour --policy-arn $policy
iam delete-role-policy --role-name tour --policy-name in
iam delete-role --role-name tour
iam get-role --role-name tour !! NoSuchEntity
iam create-service-linked-role --aws-service-name replicator.lambda.amazonaws.com --query Role.RoleName => AWSServiceRoleForLambdaReplicator
task = iam delete-service-linked-role --role-name AWSServiceRoleForLambdaReplicator
iam get-service-linked-role-deletion-status --deletion-task-id $task --query Status => SUCCEEDED
"""

USERS_AND_GROUPS = """
iam create-user --user-name ann --query User.Arn => arn:aws:iam::000000000000:user/ann
iam wait user-exists --user-name ann
iam update-user --user-name ann --new-path /team/
iam get-user --user-name ann --query User.Path => /team/
iam list-users --path-prefix /team/ --query Users[].UserName => ann
iam tag-user --user-name ann --tags Key=a,Value=1
iam list-user-tags --user-name ann --query Tags[].Key => a
iam untag-user --user-name ann --tag-keys a
key = iam create-access-key --user-name ann --query AccessKey.AccessKeyId
iam list-access-keys --user-name ann --query AccessKeyMetadata[].AccessKeyId => $key
iam update-access-key --user-name ann --access-key-id $key --status Inactive
iam get-access-key-last-used --access-key-id $key --query UserName => ann
iam delete-access-key --user-name ann --access-key-id $key
iam put-user-policy --user-name ann --policy-name in --policy-document file://policy.json
iam get-user-policy --user-name ann --policy-name in --query PolicyName => in
iam list-user-policies --user-name ann --query PolicyNames => in
iam attach-user-policy --user-name ann --policy-arn $policy
iam list-attached-user-policies --user-name ann --query AttachedPolicies[].PolicyName => tour
iam put-user-permissions-boundary --user-name ann --permissions-boundary $policy
iam get-user --user-name ann --query User.PermissionsBoundary.PermissionsBoundaryArn => $policy
iam delete-user-permissions-boundary --user-name ann
iam create-group --group-name staff --query Group.GroupName => staff
iam update-group --group-name staff --new-group-name team
iam add-user-to-group --group-name team --user-name ann
iam get-group --group-name team --query Users[].UserName => ann
iam list-groups --query Groups[].GroupName => team
iam list-groups-for-user --user-name ann --query Groups[].GroupName => team
iam put-group-policy --group-name team --policy-name in --policy-document file://policy.json
iam get-group-policy --group-name team --policy-name in --query GroupName => team
iam list-group-policies --group-name team --query PolicyNames => in
iam attach-group-policy --group-name team --policy-arn $policy
iam list-attached-group-policies --group-name team --query AttachedPolicies[].PolicyArn => $policy
iam list-attached-group-policies --group-name team --path-prefix /other/ --query AttachedPolicies =>
iam get-account-summary --query SummaryMap.[Users,Groups] => 1 1
iam get-account-authorization-details --filter User --query UserDetailList[].[UserName,GroupList[0],UserPolicyList[0].PolicyName] => ann team in
iam list-account-aliases --query AccountAliases =>
iam create-account-alias --account-alias tour-one
iam list-account-aliases --query AccountAliases => tour-one
iam create-account-alias --account-alias tour-one !! EntityAlreadyExists
iam delete-account-alias --account-alias tour-one
iam delete-account-alias --account-alias tour-one !! NoSuchEntity
iam get-account-password-policy !! NoSuchEntity
iam update-account-password-policy --minimum-password-length 10 --max-password-age 60
iam get-account-password-policy --query PasswordPolicy.[MinimumPasswordLength,ExpirePasswords,RequireSymbols] => 10 True False
iam delete-account-password-policy
iam delete-account-password-policy !! NoSuchEntity
iam get-login-profile --user-name ann !! NoSuchEntity
iam delete-login-profile --user-name ann !! NoSuchEntity
iam list-mfa-devices --user-name ann --query MFADevices =>
iam list-virtual-mfa-devices --query VirtualMFADevices =>
iam list-ssh-public-keys --user-name ann --query SSHPublicKeys =>
iam list-signing-certificates --user-name ann --query Certificates =>
iam list-service-specific-credentials --user-name ann --query ServiceSpecificCredentials =>
iam detach-group-policy --group-name team --policy-arn $policy
iam delete-group-policy --group-name team --policy-name in
iam remove-user-from-group --group-name team --user-name ann
iam delete-group --group-name team
iam detach-user-policy --user-name ann --policy-arn $policy
iam delete-user-policy --user-name ann --policy-name in
iam delete-policy --policy-arn $policy
iam delete-user --user-name ann
iam get-user --user-name ann !! NoSuchEntity
"""

LOGS = """
logs create-log-group --log-group-name /tour --tags a=1
logs create-log-stream --log-group-name /tour --log-stream-name one
logs put-log-events --log-group-name /tour --log-stream-name one --log-events timestamp=$now,message=hello
logs describe-log-groups --log-group-name-prefix /tour --query logGroups[].logGroupName => /tour
logs describe-log-streams --log-group-name /tour --query logStreams[].logStreamName => one
logs get-log-events --log-group-name /tour --log-stream-name one --query events[].message => hello
logs filter-log-events --log-group-name /tour --filter-pattern hello --query events[].message => hello
logs put-retention-policy --log-group-name /tour --retention-in-days 7
logs describe-log-groups --log-group-name-prefix /tour --query logGroups[].retentionInDays => 7
logs delete-retention-policy --log-group-name /tour
logs tag-log-group --log-group-name /tour --tags b=2
logs list-tags-log-group --log-group-name /tour --query tags.[a,b] => 1 2
logs untag-log-group --log-group-name /tour --tags a
group = logs describe-log-groups --log-group-name-prefix /tour --query logGroups[0].logGroupArn
logs tag-resource --resource-arn $group --tags c=3
logs untag-resource --resource-arn $group --tag-keys b
logs list-tags-for-resource --resource-arn $group --query keys(tags) => c
search = logs start-query --log-group-name /tour --start-time 0 --end-time 9999999999 --query-string 'fields @message, @ptr'
logs get-query-results --query-id $search --query status ~> Complete
record = logs get-query-results --query-id $search --query "results[0][?field=='@ptr'].value"
logs get-log-record --log-record-pointer $record --query "contains(values(logRecord),'hello')" => True
logs describe-queries --log-group-name /tour --query queries[].queryId => $search
logs stop-query --query-id $search !! InvalidParameterException
logs delete-log-stream --log-group-name /tour --log-stream-name one
logs delete-log-group --log-group-name /tour
logs describe-log-groups --log-group-name-prefix /tour --query logGroups =>
"""

POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": "logs:*",
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:username": "ann"}},
        }
    ],
}
OPEN = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "logs:*", "Resource": "*"}]}
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
SOURCE = "def handler(event, context):\n    return event\n"


class Shell:
    """Runs scripts of commands; knows the operations that they called."""

    def __init__(self, variables):
        self.variables = variables
        self.called = set()
        self._driver = create_clidriver()
        self._driver.session.register("after-call", self._note)

    def _note(self, model, **others):
        self.called.add((model.service_model.service_name, model.name))

    def run(self, script):
        for line in filter(None, script.splitlines()):
            self._step(line)

    def _step(self, line):
        kept = re.match(r"(\w+) = ", line)
        command, mark, wanted = re.fullmatch(r"(.*?)(?: (=>|~>|!!) ?(.*))?", line[kept.end() if kept else 0 :]).groups()
        arguments = [self._filled(word) for word in shlex.split(command)]
        deadline = time.monotonic() + 60
        code, output, errors = self._type(arguments)
        while mark == "~>" and output.strip() != self._filled(wanted) and time.monotonic() < deadline:
            code, output, errors = self._type(arguments)
        if mark == "!!":
            assert code != 0, line
            assert f"({wanted})" in errors, (line, errors)
            return
        assert code == 0, (line, errors)
        printed = " ".join(output.split())
        if kept:
            assert printed, line
            self.variables[kept[1]] = printed
        if mark in ("=>", "~>"):
            assert printed == self._filled(wanted), line

    def _filled(self, text):
        return string.Template(text).substitute(self.variables)

    def _type(self, arguments):
        output, errors = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.StringIO()
        with redirect_stdout(output), redirect_stderr(errors):
            try:
                code = self._driver.main([*arguments, "--output", "text"])
            except SystemExit as refusal:  # of its argument parser
                code = refusal.code
        output.flush()
        return code, output.buffer.getvalue().decode(), errors.getvalue()


@pytest.fixture(scope="module")
def shell(start_server, tmp_path_factory, zipped):
    """A server of its own, for what lists show; a folder with the files that the commands name."""
    server = start_server(tmp_path_factory.mktemp("tour"))
    folder = tmp_path_factory.mktemp("files")
    (folder / "code.zip").write_bytes(zipped({"app.py": SOURCE}))
    (folder / "event.json").write_text("{}")
    arn = "arn:aws:lambda:us-east-1:000000000000:function:tour"
    whole = {"Sid": "whole", "Effect": "Allow", "Principal": "*", "Action": "lambda:InvokeFunction", "Resource": arn}
    documents = {
        "policy": POLICY,
        "policies": [json.dumps(POLICY)],
        "open-policies": [json.dumps(OPEN)],
        "trust": TRUST,
        "resource-policy": {"Version": "2012-10-17", "Statement": [whole]},
    }
    for name, document in documents.items():
        (folder / f"{name}.json").write_text(json.dumps(document))
    key, secret = server.keys()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
            patch.delenv(name, raising=False)
        for name, value in {
            "AWS_ENDPOINT_URL": server.endpoint,
            "AWS_ACCESS_KEY_ID": key,
            "AWS_SECRET_ACCESS_KEY": secret,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_CONFIG_FILE": str(folder / "none"),
            "AWS_PAGER": "",
        }.items():
            patch.setenv(name, value)
        yield Shell(
            {
                "role": "arn:aws:iam::000000000000:role/tour",
                "profile": "arn:aws:signer:us-east-1:000000000000:/signing-profiles/tour",
                "queue": "arn:aws:sqs:us-east-1:000000000000:tour",
                "now": str(int(time.time() * 1000)),
            }
        )


def served(service):
    section = OPERATIONS.read_text().partition(f"\n## {service}:")[2].partition("\n## ")[0]
    return set(re.findall(r"^\| (\w+) \| served", section, re.MULTILINE)) - NOT_COMMANDS


def called(shell, service):
    return {operation for of, operation in shell.called if of == service}


class TestEveryCommand:
    def test_of_lambda(self, shell):
        for script in (FUNCTIONS, OPTIONS, LAYERS_AND_THE_END):
            shell.run(script)
        assert served("lambda") - called(shell, "lambda") == set()

    def test_of_iam(self, shell):
        shell.run(ROLES_AND_POLICIES)
        shell.run(USERS_AND_GROUPS)
        assert served("iam") - called(shell, "iam") == set()

    def test_of_logs(self, shell):
        shell.run(LOGS)
        assert served("logs") - called(shell, "logs") == set()
