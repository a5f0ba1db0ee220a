"""``/metrics``: answers a scrape."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from dispatcher.access.scopes import Scope
from handlers.api.resources import ConsoleApiHandler
from handlers.measures.families import families

__all__ = ["MetricsHandler"]


class _Seen(Collector):
    """Families that are made already."""

    def __init__(self, found: list[Metric]) -> None:
        self._found = found

    def collect(self) -> Iterator[Metric]:
        """Called by the encoder."""
        return iter(self._found)


class MetricsHandler(ConsoleApiHandler):
    """``/metrics``."""

    scopes: ClassVar = {"GET": Scope.READ}

    async def get(self) -> None:
        """One look at the node, as text: OpenMetrics for those that accept it."""
        look = await self.site.service.measures()
        registry = CollectorRegistry(auto_describe=False)
        ProcessCollector(registry=registry)
        registry.register(_Seen(list(families(look, self.site.answers))))
        encode, content_type = choose_encoder(self.request.headers.get("Accept", ""))
        self.set_header("Content-Type", content_type)
        self.finish(encode(registry))

    head = get
