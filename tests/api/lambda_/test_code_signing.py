"""Deployments to functions that have a code signing config; members and messages as recorded on AWS."""

import functools
from datetime import UTC, datetime, timedelta

import pytest

UNTRUSTED = (
    "Lambda cannot deploy the function. The function or layer might be signed using a signature that the client is not "
    "configured to accept. Check the provided signature for {}."
)
CHANGED = (
    "Lambda cannot deploy the function. The function or layer code is not properly signed. This can mean that the code "
    "was signed incorrectly or modified after it was signed. Check the provided signature for {}."
)


def signer_of(shown):
    return shown.get("SigningProfileVersionArn"), shown.get("SigningJobArn")


def creation(name, code, **options):
    role = "arn:aws:iam::000000000000:role/tester"
    code = {"ZipFile": code}
    return {
        "FunctionName": name,
        "Runtime": "python3.12",
        "Handler": "app.handler",
        "Role": role,
        "Code": code,
    } | options


@pytest.fixture(scope="module")
def signer(make_signer):
    return make_signer()


@pytest.fixture(scope="module")
def trusting(start_server, signer, tmp_path_factory):
    """A server that trusts the signer of these tests."""
    folder = tmp_path_factory.mktemp("signing")
    (folder / "roots.pem").write_bytes(signer.roots())
    return start_server(folder / "data", "--signing-roots", str(folder / "roots.pem"))


@pytest.fixture(scope="module")
def client(trusting):
    return trusting.client("lambda")


@pytest.fixture(scope="module")
def config(client, signer):
    """The ARN of a config with a policy, which allows the signer's profile."""
    publishers = {"SigningProfileVersionArns": [signer.PROFILE + "0", signer.PROFILE]}

    @functools.cache
    def make(policy):
        made = client.create_code_signing_config(
            AllowedPublishers=publishers, CodeSigningPolicies={"UntrustedArtifactOnDeployment": policy}
        )
        return made["CodeSigningConfig"]["CodeSigningConfigArn"]

    return make


@pytest.fixture(scope="module")
def make(client, trusting, make_function, packages):
    """Makes a function with the signed code, unless options say otherwise; its name."""

    def create(code=None, **options):
        code = packages["signed"] if code is None else code
        return make_function(code, client=client, logs_client=trusting.client("logs"), **options).name

    return create


@pytest.fixture(scope="module")
def packages(signer, zipped, repacked):
    """Packages by what is the matter with them."""
    unsigned = zipped({"app.py": "def handler(event, context): return 1\n"})
    signed = signer.sign(unsigned)
    return {
        "unsigned": unsigned,
        "signed": signed,
        "expired": signer.sign(unsigned, expires_in=timedelta(seconds=-1)),
        "other profile": signer.sign(unsigned, profile=signer.PROFILE[:-1]),
        "changed": repacked(signed, lambda entries: [*entries, ("more.py", b"")]),
        "other root": type(signer)().sign(unsigned),
    }


@pytest.fixture(scope="module")
def layer(client, packages):
    """The ARN of a layer with one of the packages."""

    @functools.cache
    def publish(what):
        made = client.publish_layer_version(LayerName=what, Content={"ZipFile": packages[what]})
        return made["LayerVersionArn"]

    return publish


@pytest.fixture(scope="module")
def unverified(refusal):
    def check(message, call, **parameters):
        assert refusal(call, **parameters)["Error"] == {
            "Code": "CodeVerificationFailedException",
            "Message": message,
        }

    return check


class TestDeployments:
    def test_signed_code_is_accepted_and_shown_with_its_signer(self, client, config, make, signer, packages):
        name = make(CodeSigningConfigArn=config("Enforce"))
        expected = (signer.PROFILE, signer.JOB)
        assert signer_of(client.get_function_configuration(FunctionName=name)) == expected
        assert signer_of(client.publish_version(FunctionName=name)) == expected
        version = client.get_function(FunctionName=name, Qualifier="1")["Configuration"]
        assert signer_of(version) == expected
        listed = client.list_versions_by_function(FunctionName=name)["Versions"]
        assert [signer_of(each) for each in listed] == [expected] * 2
        # The signer goes with the code.
        client.put_function_code_signing_config(FunctionName=name, CodeSigningConfigArn=config("Warn"))
        updated = client.update_function_code(FunctionName=name, ZipFile=packages["unsigned"], DryRun=True)
        assert signer_of(updated) == (None, None)
        updated = client.update_function_code(FunctionName=name, ZipFile=packages["signed"], DryRun=True)
        assert signer_of(updated) == expected

    @pytest.mark.parametrize("policy", ["Warn", "Enforce"])
    @pytest.mark.parametrize("what", ["changed", "other root"])
    def test_code_that_was_changed_is_refused_always(
        self, client, config, make, arn_of, packages, unverified, refusal, policy, what
    ):
        name = make(CodeSigningConfigArn=config(policy))
        before = client.get_function_configuration(FunctionName=name)
        message = CHANGED.format(arn_of(name))
        unverified(message, client.update_function_code, FunctionName=name, ZipFile=packages[what])
        after = client.get_function_configuration(FunctionName=name)
        assert (before["RevisionId"], before["CodeSha256"]) == (after["RevisionId"], after["CodeSha256"])
        unverified(
            CHANGED.format("never-made"),
            client.create_function,
            **creation("never-made", packages[what], CodeSigningConfigArn=config(policy)),
        )
        answer = refusal(client.get_function, FunctionName="never-made")
        assert answer["Error"]["Code"] == "ResourceNotFoundException"

    @pytest.mark.parametrize("what", ["unsigned", "expired", "other profile"])
    def test_code_that_is_not_trusted_is_refused_with_enforce_only(
        self, trusting, client, config, make, arn_of, packages, unverified, what
    ):
        name = make(packages[what], CodeSigningConfigArn=config("Warn"))
        client.put_function_code_signing_config(FunctionName=name, CodeSigningConfigArn=config("Enforce"))
        message = UNTRUSTED.format(arn_of(name))
        unverified(message, client.update_function_code, FunctionName=name, ZipFile=packages[what])
        unverified(message, client.update_function_code, FunctionName=name, ZipFile=packages[what], DryRun=True)
        unverified(
            UNTRUSTED.format("never-made"),
            client.create_function,
            **creation("never-made", packages[what], CodeSigningConfigArn=config("Enforce")),
        )
        now = datetime.now(UTC)
        counted = trusting.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/Lambda",
            MetricName="SignatureValidationErrors",
            Dimensions=[{"Name": "FunctionName", "Value": name}],
            StartTime=now - timedelta(hours=1),
            EndTime=now + timedelta(minutes=1),
            Period=60,
            Statistics=["Sum"],
        )["Datapoints"]
        assert sum(point["Sum"] for point in counted) == 3

    def test_layers_show_their_signer(self, client, layer, signer):
        """One that was changed can be published, and shows none."""
        for what, expected in [
            ("signed", (signer.PROFILE, signer.JOB)),
            ("expired", (signer.PROFILE, signer.JOB)),
            ("changed", (None, None)),
            ("unsigned", (None, None)),
        ]:
            content = client.get_layer_version_by_arn(Arn=layer(what))["Content"]
            assert signer_of(content) == expected, what

    def test_layers_are_checked_like_code(self, client, config, make, arn_of, packages, layer, signer, unverified):
        name = make(CodeSigningConfigArn=config("Enforce"), Layers=[layer("signed")])
        shown = client.get_function_configuration(FunctionName=name)["Layers"]
        assert [signer_of(each) for each in shown] == [(signer.PROFILE, signer.JOB)]
        set_layers = client.update_function_configuration
        layers = [layer("signed"), layer("unsigned")]
        unverified(UNTRUSTED.format(arn_of(name)), set_layers, FunctionName=name, Layers=layers)
        for policy in ("Enforce", "Warn"):
            client.put_function_code_signing_config(FunctionName=name, CodeSigningConfigArn=config(policy))
            unverified(CHANGED.format(arn_of(name)), set_layers, FunctionName=name, Layers=[layer("changed")])
            unverified(
                CHANGED.format("never-made"),
                client.create_function,
                **creation(
                    "never-made", packages["signed"], CodeSigningConfigArn=config(policy), Layers=[layer("changed")]
                ),
            )
        shown = set_layers(FunctionName=name, Layers=layers)["Layers"]
        assert [signer_of(each) for each in shown] == [(signer.PROFILE, signer.JOB), (None, None)]

    def test_functions_without_a_config_are_not_checked(self, client, make, packages, layer):
        name = make(packages["changed"], Layers=[layer("changed")])
        assert signer_of(client.get_function_configuration(FunctionName=name)) == (None, None)

    def test_attaching_a_config_checks_nothing(self, client, config, make, packages):
        name = make(packages["unsigned"])
        client.put_function_code_signing_config(FunctionName=name, CodeSigningConfigArn=config("Enforce"))
        client.update_function_configuration(FunctionName=name, Description="not a deployment")


class TestSigningRoots:
    @pytest.mark.parametrize("content", ["", "no certificate"])
    def test_have_to_be_certificates(self, firefork, refused, tmp_path, content):
        (tmp_path / "roots.pem").write_text(content)
        result = firefork("up", "--data-dir", tmp_path / "data", "--signing-roots", tmp_path / "roots.pem")
        assert refused(result, 1) == (
            f"the signing roots {tmp_path / 'roots.pem'} cannot be used: it has no certificates in PEM form"
        )
