"""What the built-in tasks answer: JSON text in, JSON text out. Simulated pages run no JavaScript."""

from __future__ import annotations

import json

__all__ = ["answer"]


def answer(job_type: str, data: str) -> str:
    """The result of a job: ``echo`` gives its data back verbatim, ``word-count`` counts, others say ok."""
    if job_type == "echo":
        return data
    if job_type == "word-count":
        return json.dumps(_word_count(json.loads(data)), separators=(",", ":"))
    return '{"ok":true}'


def _word_count(data: object) -> dict[str, int]:
    text = data.get("text", "") if isinstance(data, dict) else data
    text = text if isinstance(text, str) else json.dumps(text)
    return {"words": len(text.split()), "characters": len(text)}
