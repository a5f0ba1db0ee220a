"""The schemas of all bodies by name, made from the types that requests are decoded with, and from ``shapes``."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import msgspec

from handlers.api.actions import ActionBody
from handlers.api.amending import CHANGEABLE, LONGEST_REASON
from handlers.api.batch import MOST_JOBS
from handlers.api.openapi import (
    changeshapes,
    hookshapes,
    manyshapes,
    overviewshapes,
    shapes,
    statshapes,
    typeshapes,
    workershapes,
)
from handlers.api.openapi.together import TOGETHER, filter_fields, worker_filter_fields
from handlers.api.resources import CancelBody, DecideBody, EmptyBody, RetryBody
from handlers.api.rollouts import RolloutBody
from handlers.api.tokens import TokenBody
from handlers.api.types import TypeBody
from handlers.api.waitmany import WaitBody
from handlers.api.webhooks import RedeliverBody, WebhookBody, WebhookChange
from handlers.api.workeractions import WorkerActionBody
from handlers.api.workers import OrderBody, ReloadBody, WorkerBody, WorkerTestBody
from handlers.forms.formdata import FILES, TYPED
from handlers.intake import JOB_BODY

__all__ = ["Schema", "schemas"]

Schema = dict[str, Any]
_REF = "#/components/schemas/"
_BODIES = (
    ActionBody, JOB_BODY, CancelBody, DecideBody, EmptyBody, RedeliverBody, RetryBody, TokenBody, WaitBody, WebhookBody,
    WebhookChange, OrderBody, ReloadBody, RolloutBody, TypeBody, WorkerActionBody, WorkerBody, WorkerTestBody,
)  # fmt: skip
#: Of the fields of the console's form, the one that no program needs.
_FOR_PEOPLE = frozenset({"type_choice"})
_JOB_WORDS = {
    "type": {"description": "what is to be done: it names the task"},
    "data": {"description": "what the task gets; kept as the text that came"},
    "delay_s": {"description": "seconds from now: it does not start earlier"},
    "expires_s": {"description": "seconds from now, more than `delay_s`: it does not start later; null: it may"},
    "priority": {"description": "each step is a head start of 60 s"},
    "timeout_s": {"description": "seconds that each attempt has"},
    "tags": {"description": "words by which people and programs find it again"},
    "summary": {"description": "the job in a few words for people: `order 4711`"},
    "requires": {"description": "labels that its worker must have; of a list it needs one"},
}
#: The fields that a form has in its own way.
_FORM_FIELDS: dict[str, Schema] = {
    "type": {"type": "string", "pattern": r"^\s*[A-Za-z0-9._-]{1,100}\s*$"},
    "format": {"enum": ["", "json", "text"], "description": "what the data is; else JSON"},
    "data": {"type": "string", "description": "JSON, or any text with the format `text`"},
    "worker": {"type": "string", "maxLength": 200, "description": "the name of one worker"},
    "labels": {"type": "string", "description": "one label a line, `site:berlin`"},
    "image": {"type": "string", "description": "a picture as a data URL"},
    "file": {"type": "string", "description": "a file, which goes into the data; with multipart alone"},
    "key": {"type": "string", "pattern": "^[ -~]{0,255}$", "description": "the idempotency key"},
}
#: What has no form of its own.
_LOOSE: dict[str, Schema] = {
    "Result": {"title": "Result", "description": "Any JSON, as the page sent it."},
    "Description": {"title": "Description", "description": "An OpenAPI 3.1 document.", "type": "object"},
}


#: Where the shapes of answers stand.
_SHAPES = (shapes, changeshapes, manyshapes, workershapes, typeshapes, hookshapes, statshapes, overviewshapes)


def schemas() -> dict[str, Schema]:
    """All of them, by name, in order."""
    _, found = msgspec.json.schema_components(
        [
            *_BODIES,
            *(shape for part in _SHAPES for shape in _shapes(part)),
        ],
        ref_template=_REF + "{name}",
    )
    made = {_plain_name(name): _plain(schema) for name, schema in found.items()}
    job = made["JobBody"] = _told(made["JobBody"])
    made |= {"JobForm": _form(job), "JobChange": _change(job), "JobCopy": _copy(job), "JobBatch": _batch(), **_LOOSE}
    made |= _parts(made)
    for name, rules in TOGETHER.items():
        made[name] |= rules
    made["FilterBody"] |= {"properties": filter_fields(), "minProperties": 1}
    made["WorkerFilterBody"] |= {"properties": worker_filter_fields(), "minProperties": 1}
    return {name: made[name] for name in sorted(made)}


def _shapes(module: ModuleType) -> list[type]:
    return [getattr(module, name) for name in module.__all__]


def _told(job: Schema) -> Schema:
    """The fields of a job whose type does not say what they mean."""
    fields = {name: _JOB_WORDS.get(name, {}) | field for name, field in job["properties"].items()}
    return job | {"description": "A new job. What is not given has the server's default.", "properties": fields}


def _parts(made: dict[str, Schema]) -> dict[str, Schema]:
    """What an answer has where its query chooses fields: any of those that it has otherwise."""
    words = "The fields of a job that were asked for."
    parts = {
        f"{name}Part": made[name] | {"title": f"{name}Part", "description": words, "required": []}
        for name in ("Job", "ListedJob")
    }
    lines = {"type": "array", "items": {"$ref": f"{_REF}ListedJobPart"}}
    fields = made["Jobs"]["properties"] | {"items": lines}
    return parts | {"JobsPart": made["Jobs"] | {"title": "JobsPart", "properties": fields}}


def _plain_name(name: str) -> str:
    return name.removesuffix("Shape")


def _plain(value: Any) -> Any:
    """Names without ``Shape``, and patterns as JavaScript writes them, too."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {name: _plain_text(name, item) if isinstance(item, str) else _plain(item) for name, item in value.items()}


def _plain_text(name: str, text: str) -> str:
    if name == "pattern":
        return text.removesuffix(r"\Z") + "$" if text.endswith(r"\Z") else text
    return _plain_name(text) if name in ("$ref", "title") else " ".join(text.split())


def _form(job: Schema) -> Schema:
    names = [name for name in (*TYPED, *FILES, "key") if name not in _FOR_PEOPLE]
    fields = {name: _FORM_FIELDS.get(name) or _not_null(job["properties"][name]) for name in names}
    return {
        "title": "JobForm",
        "description": "A job as a form. An empty field has its default; `labels` has one label a line, `site:berlin`.",
        "type": "object",
        "properties": fields,
        "required": ["type"],
        "additionalProperties": False,
    }


def _not_null(field: Schema) -> Schema:
    """A field that may be null is left out of a form instead."""
    return next((part for part in field.get("anyOf", ()) if part.get("type") != "null"), field)


def _batch() -> Schema:
    return {
        "title": "JobBatch",
        "type": "array",
        "items": {"$ref": f"{_REF}JobBody"},
        "minItems": 1,
        "maxItems": MOST_JOBS,
    }


def _change(job: Schema) -> Schema:
    return {
        "title": "JobChange",
        "description": "What is to be different; what it leaves out stays as it is.",
        "type": "object",
        "properties": {name: job["properties"][name] for name in CHANGEABLE}
        | {"reason": {"type": "string", "maxLength": LONGEST_REASON, "description": "why, for the audit log"}},
        "anyOf": [{"required": [name]} for name in CHANGEABLE],
        "additionalProperties": False,
    }


def _copy(job: Schema) -> Schema:
    words = "What the copy has otherwise: any field of a submission."
    return job | {"title": "JobCopy", "description": words, "required": []}
