"""Remembered policies of resources."""

import json

from firefork.catalog.resource_policies import ResourcePolicies

ARN = "arn:aws:lambda:us-east-1:111111111111:function:f"


class TestResourcePolicies:
    def test_loads_once_until_forgotten(self):
        loaded = []

        def load(arn):
            loaded.append(arn)
            return {"Version": str(len(loaded))}

        policies = ResourcePolicies(load)
        assert not policies.known(ARN)
        assert json.loads(policies.get(ARN)) == {"Version": "1"}
        assert policies.known(ARN)
        assert json.loads(policies.get(ARN)) == {"Version": "1"}
        policies.forget()
        assert not policies.known(ARN)
        assert json.loads(policies.get(ARN)) == {"Version": "2"}

    def test_that_there_is_none_is_remembered_too(self):
        loaded = []
        policies = ResourcePolicies(loaded.append)
        assert policies.get(ARN) is None
        assert policies.get(ARN) is None
        assert loaded == [ARN]

    def test_a_change_during_a_load_is_not_covered_up(self):
        def load(arn):
            policies.forget()
            return {"Version": "old"}

        policies = ResourcePolicies(load)
        assert json.loads(policies.get(ARN)) == {"Version": "old"}
        assert not policies.known(ARN)

    def test_a_resource_is_forgotten_with_its_qualifiers_and_no_other_is(self):
        policies = ResourcePolicies(lambda arn: None)
        asked = [ARN, f"{ARN}:live", f"{ARN}2"]
        for arn in asked:
            policies.get(arn)
        policies.forget(ARN)
        assert [policies.known(arn) for arn in asked] == [False, False, True]

    def test_a_change_of_the_resource_during_a_load_is_not_covered_up(self):
        def load(arn):
            policies.forget(ARN)
            return {"Version": "old"}

        policies = ResourcePolicies(load)
        assert json.loads(policies.get(f"{ARN}:live")) == {"Version": "old"}
        assert not policies.known(f"{ARN}:live")

    def test_a_change_of_another_resource_during_a_load_does_not_matter(self):
        def load(arn):
            policies.forget(f"{ARN}2")
            return

        policies = ResourcePolicies(load)
        policies.get(ARN)
        assert policies.known(ARN)

    def test_without_a_source_there_are_none(self):
        policies = ResourcePolicies()
        assert policies.known(ARN)
        assert policies.get(ARN) is None
