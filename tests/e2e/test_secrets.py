"""Secrets at rest: what is in files and in what the server says, whichever database it has."""

import json
import stat

import pytest

SECRET = "correct-horse-battery-staple"
HANDLER = """
import os

def handler(event, context):
    if event.get("fail"):
        raise ValueError("failed")
    return len(os.environ["PASSWORD"])
"""


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def kept(request, start_server, tmp_path_factory):
    """A server that keeps its data in either database; and the URL of that."""
    folder = tmp_path_factory.mktemp("secrets")
    if request.param == "sqlite":
        return start_server(folder, "--verbose"), f"sqlite:///{folder / 'firefork.db'}"
    url = request.getfixturevalue("make_postgresql")()
    return start_server(folder, "--verbose", "--database", url), url


class TestEnvironmentVariables:
    def test_are_in_no_file_and_no_line_of_the_server(self, kept, make_function, files_of):
        """Created, changed, published, invoked, failed, refused: PASSWORD is only in the answer that shows it."""
        server, url = kept
        client = server.client("lambda")
        variables = {"Variables": {"PASSWORD": SECRET}}
        function = make_function(HANDLER, client=client, logs_client=server.client("logs"), Environment=variables)
        name = function.name
        assert function() == len(SECRET)
        client.update_function_configuration(FunctionName=name, Environment={"Variables": {"PASSWORD": SECRET + "2"}})
        client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.05})
        client.publish_version(FunctionName=name)
        assert function() == len(SECRET) + 1
        assert function.invoke({"fail": True}).error == "Unhandled"
        too_much = {"Variables": {"PASSWORD": SECRET, "FILL": "x" * 4096}}
        with pytest.raises(client.exceptions.InvalidParameterValueException):
            client.update_function_configuration(FunctionName=name, Environment=too_much)
        shown = client.get_function_configuration(FunctionName=name, Qualifier="1")
        assert shown["Environment"]["Variables"] == {"PASSWORD": SECRET + "2"}
        assert SECRET not in json.dumps(function.messages())
        iam = server.client("iam")
        iam.create_user(UserName="ann")
        secrets = [SECRET, iam.create_access_key(UserName="ann")["AccessKey"]["SecretAccessKey"]]

        def held():
            files = [path for path in server.data_dir.rglob("*") if path.is_file()]
            contents = [files_of(url), *(path.read_bytes() for path in files)]
            return [secret for secret in secrets if any(secret.encode() in content for content in contents)]

        assert held() == []
        assert server.stop() == 0
        said = "".join([*server.lines, *(line for line in server.rest())])
        assert "UpdateFunctionConfiguration 400" in said, "the server did say something"
        assert not any(secret in said for secret in secrets)
        assert held() == []

    def test_the_keys_are_their_owners_alone(self, kept):
        server, _ = kept
        for name in ("credentials", "session.key", "secrets.key"):
            assert stat.S_IMODE((server.data_dir / name).stat().st_mode) == 0o600

    def test_another_key_file_is_a_clear_refusal(self, kept, firefork, refused):
        """One that was lost and made anew opens nothing: better no server than one without its secrets."""
        server, url = kept
        assert server.stop() == 0
        key = (server.data_dir / "secrets.key").read_bytes()
        (server.data_dir / "secrets.key").unlink()
        options = () if url.startswith("sqlite") else ("--database", url)
        said = refused(firefork("up", "--port", "0", "--data-dir", server.data_dir, *options), 1)
        assert said == (
            "the database cannot be opened: its secrets were sealed with another key: put the secrets.key that belongs "
            "to it into the data folder"
        )
        (server.data_dir / "secrets.key").write_bytes(key)
