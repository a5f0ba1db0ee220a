"""What the type of a body does not say: which of its fields go together, and what the fields of a filter may hold."""

from __future__ import annotations

from typing import Any

from dispatcher.access.scopes import Scope
from dispatcher.core.jobs.acts.operations import OperationAction
from handlers.api.actions import LONGEST_TEXT, MOST_TEXTS, FilterBody
from handlers.api.openapi.fields import query_field
from handlers.api.workeractions import WorkerFilterBody

__all__ = ["TOGETHER", "filter_fields", "worker_filter_fields"]

Schema = dict[str, Any]
#: A token for everything cannot be bound.
_BOUND_ADMIN = {
    "required": ["types"],
    "properties": {"scopes": {"contains": {"const": Scope.ADMIN.value}}, "types": {"minItems": 1}},
}
#: A token for joining is for workers alone, and labels are for pages.
_JOIN_OF_OTHERS = {
    "required": ["join"],
    "properties": {"join": {"type": "object"}, "scopes": {"contains": {"not": {"const": Scope.WORKER.value}}}},
}
_LABELS_OF_OTHERS = {
    "required": ["labels"],
    "properties": {
        "labels": {"minProperties": 1},
        "scopes": {"type": "array", "not": {"contains": {"const": Scope.WORKER.value}}},
    },
}
_RATE_OF_OTHERS = {
    "required": ["jobs_per_minute"],
    "properties": {
        "jobs_per_minute": {"type": "integer"},
        "scopes": {"type": "array", "not": {"contains": {"enum": [Scope.SUBMIT.value, Scope.ADMIN.value]}}},
    },
}
#: Either says which jobs, or workers.
_FILTER_OR_IDS = [
    {"required": ["filter"], "properties": {"ids": False}},
    {"required": ["ids"], "properties": {"filter": False}},
]
_NO_KEY: Schema = {"const": False}
#: A priority is for the action that sets one, and a key is freed with a job that is deleted.
_BY_ACTION = [
    {
        "required": ["priority"],
        "properties": {"action": {"const": OperationAction.SET_PRIORITY.value}, "free_key": _NO_KEY},
    },
    {"properties": {"action": {"const": OperationAction.DELETE.value}, "priority": False}},
    {
        "properties": {
            "action": {"enum": [OperationAction.CANCEL.value, OperationAction.RETRY.value]},
            "priority": False,
            "free_key": _NO_KEY,
        }
    },
]
#: Some messages, or all that are dead.
_IDS_OR_DEAD = [
    {"required": ["ids"], "properties": {"ids": {"minItems": 1}, "dead": {"const": False}}},
    {"required": ["dead"], "properties": {"ids": {"maxItems": 0}, "dead": {"const": True}}},
]
#: By the name of the body.
TOGETHER: dict[str, Schema] = {
    "ActionBody": {"oneOf": _FILTER_OR_IDS, "anyOf": _BY_ACTION},
    "WorkerActionBody": {"oneOf": _FILTER_OR_IDS},
    "RedeliverBody": {"oneOf": _IDS_OR_DEAD},
    "WebhookChange": {"minProperties": 1},
    "TokenBody": {"not": {"anyOf": [_BOUND_ADMIN, _JOIN_OF_OTHERS, _LABELS_OF_OTHERS, _RATE_OF_OTHERS]}},
}


def filter_fields() -> dict[str, Schema]:
    """Those of a filter in a body: each holds what it may hold in an address, but never nothing."""
    return {name: _filter_field("api-jobs", name) for name in FilterBody.__struct_fields__}


def worker_filter_fields() -> dict[str, Schema]:
    """The same of workers."""
    return {name: _filter_field("api-workers", name) for name in WorkerFilterBody.__struct_fields__}


def _filter_field(route: str, name: str) -> Schema:
    field = query_field(route, name)
    one: Schema = {"minLength": 1, "maxLength": LONGEST_TEXT} | field.schema
    if not field.repeated:
        return one | {"description": field.words}
    several: Schema = {"type": "array", "items": one, "minItems": 1, "maxItems": MOST_TEXTS}
    return {"anyOf": [one, several], "description": field.words}
