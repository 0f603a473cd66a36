"""Which runtimes functions can be created on."""

import pytest

from firefork.catalog.runtimes import RUNTIMES
from firefork.engine.installations import Installations


class TestMissingRuntime:
    def test_creation_says_how_to_install_it(self, make_function, lambda_, runtimes_dir):
        """A runtime that is known but not on this machine."""
        installed = {found.identifier for found in Installations(runtimes_dir).all()}
        known = [name for name, info in RUNTIMES.items() if info.python and info.python >= (3, 8)]
        missing = [name for name in known if name not in installed]
        if not missing:
            pytest.skip("every known runtime is installed here")
        with pytest.raises(lambda_.exceptions.InvalidParameterValueException) as refusal:
            make_function("", runtime=missing[-1])
        message = refusal.value.response["Error"]["Message"]
        assert message.startswith(f"The runtime {missing[-1]} is not installed on this machine. ")
        assert f"run `firefork runtimes install {missing[-1]}`" in message


class TestBlockedRuntime:
    @pytest.mark.parametrize("blocked", ["python3.7", "provided"])
    def test_is_refused(self, make_function, brisk, blocked):
        """Past its block-create date, in AWS's words; this server has no option that allows it."""
        client = brisk.client("lambda")
        with pytest.raises(client.exceptions.InvalidParameterValueException) as refusal:
            make_function("", runtime=blocked, client=client)
        assert refusal.value.response["Error"]["Message"] == (
            f"The runtime parameter of {blocked} is no longer supported for creating or updating AWS Lambda functions. "
            "We recommend you use a supported runtime while creating or updating functions."
        )

    def test_an_option_allows_it(self, make_function, lambda_):
        """With --allow-blocked-runtimes it is only a matter of being installed, which Python 3.7 cannot be."""
        with pytest.raises(lambda_.exceptions.InvalidParameterValueException, match="is not installed on this machine"):
            make_function("", runtime="python3.7")


class TestInterpreter:
    def test_what_runs_is_the_named_one(self, make_function, runtime, runtimes_dir):
        """Its exact version is that of an interpreter that was found for the identifier, not the server's own."""
        expected = Installations(runtimes_dir).find(runtime).interpreter.version
        source = """
import platform, sys
def handler(event, context):
    return [platform.python_version(), sys.prefix, sys.executable]
"""
        assert make_function(source, runtime=runtime)() == [expected, "/var/lang", f"/var/lang/bin/{runtime}"]
