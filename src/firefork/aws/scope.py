"""Where a resource lives: partition, account and region, all three taken from the request."""

from __future__ import annotations

import functools
from typing import NamedTuple

_PARTITION_BY_PREFIX = (
    ("cn-", "aws-cn"),
    ("us-gov-", "aws-us-gov"),
    ("us-iso-", "aws-iso"),
    ("us-isob-", "aws-iso-b"),
    ("eu-isoe-", "aws-iso-e"),
    ("us-isof-", "aws-iso-f"),
    ("eusc-", "aws-eusc"),
)


@functools.lru_cache(maxsize=256)
def partition_of(region: str) -> str:
    """The partition a region name belongs to; AWS: General Reference, "Amazon Resource Names"."""
    return next((partition for prefix, partition in _PARTITION_BY_PREFIX if region.startswith(prefix)), "aws")


class Scope(NamedTuple):
    """The (account, region) pair that every resource belongs to.

    A tuple, because it is part of most keys: every invoke hashes and compares a dozen of them.
    """

    account: str
    region: str

    @property
    def partition(self) -> str:
        return partition_of(self.region)

    def arn(self, service: str, resource: str) -> str:
        """``arn:aws:lambda:us-east-1:000000000000:function:name``."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"

    def global_arn(self, service: str, resource: str) -> str:
        """``arn:aws:iam::000000000000:role/name``: resources of services that have no regions."""
        return f"arn:{self.partition}:{service}::{self.account}:{resource}"
