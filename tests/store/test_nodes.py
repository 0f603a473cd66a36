"""Two servers on one PostgreSQL: each acts on what the other one changed."""

import shutil

import psycopg
import pytest

ONE = {"app.py": "import os\n\ndef handler(event, context):\n    return os.environ.get('VAR', 'one')\n"}
SNAPPED = {
    "app.py": "import os\n\nprint('init runs')\n\ndef handler(event, context):\n    os._exit(1)\n",
}
TWO = {"app.py": "def handler(event, context):\n    return 'two'\n"}


@pytest.fixture(scope="module")
def address(make_postgresql):
    return make_postgresql()


@pytest.fixture(scope="module")
def nodes(start_server, address, tmp_path_factory):
    """The second one has the key files of the first: they are one installation."""
    first = start_server(tmp_path_factory.mktemp("first"), "--database", address)
    folder = tmp_path_factory.mktemp("second")
    for name in ("credentials", "session.key", "secrets.key"):
        shutil.copy(first.data_dir / name, folder / name)
    return first, start_server(folder, "--database", address)


@pytest.fixture(scope="module")
def here(nodes):
    return nodes[0].client("lambda")


@pytest.fixture(scope="module")
def there(nodes):
    return nodes[1].client("lambda")


@pytest.fixture
def function(make_function, nodes, here):
    return make_function(ONE, client=here, logs_client=nodes[0].client("logs"))


def invoke(client, name, **options):
    """The answer, or the code of the refusal."""
    try:
        return client.invoke(FunctionName=name, **options)["Payload"].read().decode()
    except client.exceptions.ClientError as error:
        return error.response["Error"]["Code"]


class TestNodes:
    def test_a_function_of_one_runs_on_the_other(self, function, there):
        """Its code and its sealed environment come from the database; so does the link that downloads it."""
        assert invoke(there, function.name) == '"one"'

    def test_its_next_code_and_configuration_do(self, function, here, there, zipped, eventually):
        name = function.name
        assert invoke(there, name) == '"one"'
        here.update_function_configuration(FunctionName=name, Environment={"Variables": {"VAR": "1.5"}})
        eventually(lambda: invoke(there, name) == '"1.5"')
        here.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.05})
        here.update_function_code(FunctionName=name, ZipFile=zipped(TWO))
        eventually(lambda: invoke(there, name) == '"two"')

    def test_an_alias_is_moved_for_both(self, function, here, there, zipped, eventually):
        name = function.name
        here.publish_version(FunctionName=name)
        here.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
        assert invoke(there, name, Qualifier="live") == '"one"'
        here.update_function_code(FunctionName=name, ZipFile=zipped(TWO))
        here.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.05})
        here.update_alias(FunctionName=name, Name="live", FunctionVersion="$LATEST")
        eventually(lambda: invoke(there, name, Qualifier="live") == '"two"')

    def test_a_reservation_counts_on_both(self, function, here, there, eventually):
        """No concurrency reserved means no invoke, wherever that was said."""
        assert invoke(there, function.name) == '"one"'
        here.put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=0)
        eventually(lambda: invoke(there, function.name) == "TooManyRequestsException")
        here.delete_function_concurrency(FunctionName=function.name)
        eventually(lambda: invoke(there, function.name) == '"one"')

    def test_what_is_deleted_is_gone_on_both(self, function, here, there, eventually):
        assert invoke(there, function.name) == '"one"'
        here.delete_function(FunctionName=function.name)
        eventually(lambda: invoke(there, function.name) == "ResourceNotFoundException")

    def test_users_and_what_they_may_do(self, nodes, eventually):
        """A new key signs on the other node, and a deleted one no longer does."""
        iam = nodes[0].client("iam")
        iam.create_user(UserName="ann")
        key = iam.create_access_key(UserName="ann")["AccessKey"]
        pair = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
        sts = nodes[1].client("sts", **pair)

        def who():
            try:
                return sts.get_caller_identity()["Arn"]
            except sts.exceptions.ClientError as error:
                return error.response["Error"]["Code"]

        eventually(lambda: who().endswith(":user/ann"))
        iam.delete_access_key(UserName="ann", AccessKeyId=key["AccessKeyId"])
        eventually(lambda: who() == "InvalidClientTokenId")


class TestSnapStart:
    def test_a_version_that_one_publishes_is_restored_on_the_other(self, make_function, nodes, here, there, eventually):
        """Each node runs the init once, unasked; environments that end are followed by restored ones."""
        function = make_function(
            SNAPPED, client=here, logs_client=nodes[0].client("logs"), SnapStart={"ApplyOn": "PublishedVersions"}
        )
        here.publish_version(FunctionName=function.name)

        def inits():
            return function.messages().count("init runs\n")

        eventually(lambda: inits() == 2)
        for _ in range(3):
            invoke(there, function.name, Qualifier="1")  # which ends its environment

        def restores():
            return sum(message.startswith("RESTORE_START") for message in function.messages())

        eventually(lambda: restores() == 3)  # the other node's lines come a moment later
        assert inits() == 2


class TestConnection:
    def test_what_was_missed_while_it_was_broken_is_made_up_for(self, function, here, there, address, eventually):
        """All connections to the database are cut; a change right after that is seen all the same."""
        name = function.name
        assert invoke(there, name) == '"one"'
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'")
            here.update_function_configuration(FunctionName=name, Environment={"Variables": {"VAR": "later"}})
        eventually(lambda: invoke(there, name) == '"later"')

    def test_an_invoke_does_not_wait_for_the_database(self, function, there, address):
        """Known functions are invoked while nobody can read the table they are in."""
        assert invoke(there, function.name) == '"one"'
        with psycopg.connect(address) as connection:
            connection.execute("LOCK TABLE functions, function_versions, aliases IN ACCESS EXCLUSIVE MODE")
            assert invoke(there, function.name) == '"one"'
