"""The answers of the built-in tasks: JSON text in, JSON text out. Simulated pages run no JavaScript. Pure."""

from __future__ import annotations

import json
from collections import Counter

__all__ = ["answer"]


def answer(job_type: str, data: str) -> str:
    """The result of a job: ``echo`` gives its data back verbatim, ``word-count`` counts, others say ok."""
    if job_type == "echo":
        return data
    if job_type == "word-count":
        return json.dumps(_word_count(json.loads(data)), separators=(",", ":"))
    return '{"ok":true}'


def _word_count(data: object) -> dict[str, object]:
    """Like the shipped task, with a simpler idea of what a word is."""
    text = data.get("text", "") if isinstance(data, dict) else data
    text = text if isinstance(text, str) else json.dumps(text)
    words = Counter(text.lower().split())
    top = sorted(words.items(), key=lambda entry: (-entry[1], entry[0]))[:10]
    return {
        "words": words.total(),
        "characters": len(text),
        "lines": len(text.splitlines()),
        "top": [{"word": word, "count": count} for word, count in top],
    }
