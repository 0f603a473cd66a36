"""Where resources live."""

import pytest

from firefork.aws.scope import Scope


class TestPartition:
    @pytest.mark.parametrize(
        ("region", "partition"),
        [
            ("us-east-1", "aws"),
            ("eu-central-2", "aws"),
            ("cn-north-1", "aws-cn"),
            ("us-gov-west-1", "aws-us-gov"),
            ("us-iso-east-1", "aws-iso"),
            ("us-isob-east-1", "aws-iso-b"),
            ("eu-isoe-west-1", "aws-iso-e"),
            ("us-isof-south-1", "aws-iso-f"),
            ("eusc-de-east-1", "aws-eusc"),
            ("xx-nowhere-1", "aws"),
        ],
    )
    def test_follows_from_the_region(self, region, partition):
        scope = Scope("123456789012", region)
        assert scope.partition == partition
        assert scope.arn("lambda", "function:f") == f"arn:{partition}:lambda:{region}:123456789012:function:f"
