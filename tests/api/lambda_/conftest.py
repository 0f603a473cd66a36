"""What the tests of the Lambda API share."""

import pytest
from botocore.exceptions import ClientError

DO_NOTHING = "def handler(event, context): pass\n"


@pytest.fixture(scope="session")
def refusal():
    """The error answer of a call that has to be refused."""

    def of(call, **parameters):
        with pytest.raises(ClientError) as caught:
            call(**parameters)
        return caught.value.response

    return of


@pytest.fixture(scope="session")
def plain(make_function):
    """Makes a function that is there to be configured, and gives its name."""

    def make(**options):
        return make_function(DO_NOTHING, **options).name

    return make


@pytest.fixture
def name(plain):
    return plain()
