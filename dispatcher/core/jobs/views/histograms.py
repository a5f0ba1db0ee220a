"""Counts durations in buckets, so that quantiles of any number of them cost a few dozen numbers.

Buckets are geometric: 8 to a doubling, from 1 ms to 30 days. A quantile is told as the middle of its bucket. So it is
within 4.5 % of the exact one, which is the duration that has rank ceil(quantile x count) among the counted ones. What
took less than 1 ms is told as 1 ms, and what took more than 30 days as 30 days.

A histogram is a dictionary from the number of a bucket to its count; buckets that are empty are not in it. Histograms
of the same kind are added bucket by bucket, and no order of additions makes a difference.
"""

from __future__ import annotations

from bisect import bisect_right
from math import ceil, log2

import msgspec

__all__ = [
    "BOUNDS_S",
    "ERROR",
    "FEW_SAMPLES",
    "LONGEST_S",
    "Histogram",
    "add",
    "bucket_of",
    "count",
    "mean_s",
    "quantile_s",
    "read_text",
    "text_of",
]

Histogram = dict[int, int]

LONGEST_S = 30 * 86_400
#: A quantile is off by at most this share of itself: half a bucket is 2 ** (1 / 16).
ERROR = 0.045
#: Of fewer samples a quantile says little.
FEW_SAMPLES = 20
_A_DOUBLING = 8
#: Where each bucket but the first begins.
BOUNDS_S = [0.001 * 2.0 ** (n / _A_DOUBLING) for n in range(ceil(log2(LONGEST_S * 1_000) * _A_DOUBLING) + 1)]

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Histogram).decode


def bucket_of(duration_s: float) -> int:
    """The number of its bucket: 0 below 1 ms, and from there on 1 more with each eighth of a doubling."""
    return bisect_right(BOUNDS_S, duration_s)


def count(histogram: Histogram, duration_s: float) -> None:
    """Counts one duration."""
    bucket = bisect_right(BOUNDS_S, duration_s)
    histogram[bucket] = histogram.get(bucket, 0) + 1


def add(histogram: Histogram, other: Histogram) -> None:
    """Adds ``other`` to the histogram."""
    for bucket, number in other.items():
        histogram[bucket] = histogram.get(bucket, 0) + number


def quantile_s(histogram: Histogram, quantile: float) -> float | None:
    """The duration up to which this share of them lies, in seconds; None: there are none. ``quantile``: 0 to 1."""
    rank = max(1, ceil(quantile * sum(histogram.values())))
    for bucket in sorted(histogram):
        rank -= histogram[bucket]
        if rank <= 0:
            return _middle_s(bucket)
    return None


def mean_s(histogram: Histogram) -> float | None:
    """The mean duration, in seconds; None: there are none."""
    counted = sum(histogram.values())
    return sum(_middle_s(bucket) * number for bucket, number in histogram.items()) / counted if counted else None


def _middle_s(bucket: int) -> float:
    return 0.001 if bucket == 0 else min(0.001 * 2.0 ** ((bucket - 0.5) / _A_DOUBLING), LONGEST_S)


def text_of(histogram: Histogram) -> str:
    """The histogram as JSON, to be stored: ``{"12":3}``."""
    return _encode(histogram).decode()


def read_text(text: str) -> Histogram:
    """What ``text_of`` has made."""
    return _decode(text)
