"""The page that Prometheus scrapes: counts since the server's start, and how it is now.

Source: Prometheus, "Exposition formats"; naming as in "Metric and label naming".
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterator, Mapping
from itertools import accumulate
from pathlib import Path
from typing import Protocol

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

import firefork
from firefork.aws.protocols.message import HttpAnswer
from firefork.aws.scope import Scope
from firefork.invoke.metering import DURATION_BOUNDS_S, Metering, Totals
from firefork.store.vault import write_secret

_LABELS = ("account", "region", "function", "version")


class Figures(Protocol):
    """What the engine tells of itself."""

    @property
    def environments(self) -> int: ...
    @property
    def busy(self) -> int: ...
    @property
    def spares(self) -> int: ...
    @property
    def memory(self) -> tuple[int, int]: ...


class PrometheusPage:
    """Answers whoever has the token: names of functions are nobody else's business, functions' own least of all."""

    def __init__(self, metering: Metering, figures: Figures, token_file: Path) -> None:
        """Makes the token's file (mode 0600) when there is none. Raises OSError."""
        if not token_file.exists():
            write_secret(token_file, secrets.token_urlsafe(32).encode())
        self._token = token_file.read_text().strip()
        self._registry = CollectorRegistry()
        self._registry.register(_Collector(metering, figures))
        ProcessCollector(registry=self._registry)

    def answer(self, authorization: str) -> HttpAnswer:
        """``authorization`` is that header's value, empty if there is none. Blocks: not for the event loop."""
        if not hmac.compare_digest(authorization.encode(), f"Bearer {self._token}".encode()):
            headers = [("content-type", "text/plain"), ("www-authenticate", "Bearer")]
            return HttpAnswer(
                status=401, headers=headers, body=b"The token in the data folder's metrics.token is needed.\n"
            )
        headers = [("content-type", CONTENT_TYPE_LATEST)]
        return HttpAnswer(status=200, headers=headers, body=generate_latest(self._registry))


class _Collector(Collector):
    def __init__(self, metering: Metering, figures: Figures) -> None:
        self._metering = metering
        self._figures = figures

    def describe(self) -> list[Metric]:
        """Nothing: the registry would compute the whole page to learn the names."""
        return []

    def collect(self) -> Iterator[Metric]:
        yield InfoMetricFamily("firefork", "The server.", value={"version": firefork.__version__})
        used, budget = self._figures.memory
        for name, text, value in (
            ("environments", "Environments that live.", self._figures.environments),
            ("environments_busy", "Environments that run an invoke.", self._figures.busy),
            ("spares", "Forked sandboxes that wait for a function.", self._figures.spares),
            ("memory_used_bytes", "Memory that environments use.", used),
            ("memory_budget_bytes", "Memory that environments may use.", budget),
        ):
            yield GaugeMetricFamily(f"firefork_{name}", text, value=value)
        yield from _of_functions(self._metering.totals())


def _of_functions(totals: Mapping[tuple[Scope, str, str], Totals]) -> Iterator[Metric]:
    by_labels = {
        (scope.account, scope.region, name, version): total for (scope, name, version), total in totals.items()
    }
    for name, text in (
        ("invocations", "Invokes that a function ran."),
        ("errors", "Invokes that ended in a function's error."),
        ("throttles", "Invokes that were refused with 429."),
        ("cold_starts", "Invokes that waited for an environment's init or restore."),
        ("events", "Asynchronous invokes that were accepted."),
    ):
        family = CounterMetricFamily(f"firefork_{name}", text, labels=_LABELS)
        for labels, total in by_labels.items():
            family.add_metric(labels, getattr(total, name))
        yield family
    durations = HistogramMetricFamily("firefork_duration_seconds", "Duration of invokes.", labels=_LABELS)
    bounds = [*map(str, DURATION_BOUNDS_S), "+Inf"]
    for labels, total in by_labels.items():
        buckets = list(zip(bounds, map(float, accumulate(total.durations)), strict=True))
        durations.add_metric(labels, buckets, total.duration_s)
    yield durations
