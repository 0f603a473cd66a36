"""The runtime client's transport, as far as it can be seen without a runtime: the rest is tests/e2e."""

from firefork.engine.guest import firefork_transport
from firefork.engine.guest_reply import ACCEPTED
from firefork.engine.runtime_server import bytes_of


def test_the_transport_knows_an_acceptance_when_it_sees_one():
    """It reads any other answer as well, but this one without taking it apart."""
    assert bytes_of(ACCEPTED) == firefork_transport._ACCEPTED
