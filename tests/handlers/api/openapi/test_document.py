"""The description is valid, whole and kept: each call of each route stands in it, and nothing else."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from msgspec.structs import fields
from openapi_spec_validator import validate

from dispatcher.access.scopes import Scope
from dispatcher.access.tokens import Token
from dispatcher.config.settings import Settings
from dispatcher.core.jobs.acts.backups import Backup
from dispatcher.core.jobs.model import AttemptView, TypeView, WorkerView
from dispatcher.core.jobs.states import JobState
from dispatcher.node.views.waiting import Waiting
from handlers.api.jobjson import JOB_FIELDS as JOB_ANSWER
from handlers.api.jobjson import LINE_FIELDS
from handlers.api.openapi import shapes, typeshapes, workershapes
from handlers.api.openapi.calls import keys
from handlers.api.openapi.causes import CAUSES
from handlers.api.openapi.document import described
from handlers.api.openapi.operation import GROUPS
from handlers.api.openapi.operations import FOR_PEOPLE, OPERATIONS
from handlers.errors import Problem
from handlers.intake import JOB_FIELDS
from handlers.routes import TaskDirectory, routes
from tests.support.house import House
from tests.support.places import ROOT

KEPT = ROOT / "docs" / "openapi.json"
#: Codes that no call answers with: they belong to a form, to a method that is not there, or to the log.
NEVER = {"unauthorized", "forbidden", "bad_xsrf", "method_not_allowed", "address_too_long", "head_too_large"}


def test_the_document_is_valid(document: dict[str, Any]) -> None:
    validate(document)


def test_the_kept_document_is_what_the_program_makes(kept: str) -> None:
    assert KEPT.read_text("utf-8") == kept, "make docs writes it anew"


def test_each_method_of_each_route_is_described_and_nothing_else(house: House, tasks: TaskDirectory) -> None:
    specs = routes(house.dispatcher, Settings(), tasks)
    assert sorted(keys(specs)) == sorted(OPERATIONS)
    assert {spec.name for spec in specs} == {name for name, _ in OPERATIONS} | FOR_PEOPLE


def test_no_route_is_both_described_and_for_people_alone() -> None:
    assert {name for name, _ in OPERATIONS} & FOR_PEOPLE == set()


def test_a_route_that_is_not_described_is_noticed(house: House, tasks: TaskDirectory) -> None:
    specs = routes(house.dispatcher, Settings(), tasks)
    [spec] = [spec for spec in specs if spec.name == "overview"]
    spec.name = "another"
    with pytest.raises(ValueError, match="another"):
        described(specs)


def test_each_call_has_a_name_of_its_own_and_a_group(document: dict[str, Any]) -> None:
    found = [operation for path in document["paths"].values() for operation in path.values()]
    names = [operation["operationId"] for operation in found]
    assert len(set(names)) == len(names) == len(OPERATIONS)
    assert {operation["tags"][0] for operation in found} == set(GROUPS)


def test_a_schema_that_is_there_is_used(document: dict[str, Any]) -> None:
    used = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(document)))
    assert set(document["components"]["schemas"]) == used


def test_each_code_of_the_documentation_is_one_of_the_description_with_the_same_status() -> None:
    page = (ROOT / "docs" / "api.md").read_text("utf-8").partition("## Errors\n")[2]
    rows = re.findall(r"^\| (\d+)(?:, \d+)? \| (.+?) \|", page, re.M)
    told = {(int(status), code) for status, codes in rows for code in re.findall(r"`(\w+)`", codes)}
    causes = {(cause.status, name) for name, cause in CAUSES.items() if " " not in name}
    assert {(status, code) for status, code in told if code not in NEVER} == causes


def test_the_fields_of_a_job_are_those_that_are_read(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    assert set(schemas["JobBody"]["properties"]) == set(schemas["JobCopy"]["properties"]) == set(JOB_FIELDS)
    assert schemas["JobBody"]["required"] == ["type"]
    assert schemas["JobBody"]["additionalProperties"] is False


def names_of(struct: type[Any]) -> set[str]:
    return {field.encode_name for field in fields(struct)}


@pytest.mark.parametrize(
    ("shape", "kept"),
    [
        (shapes.WaitingShape, Waiting),
        (shapes.AttemptShape, AttemptView),
        (workershapes.WorkerShape, WorkerView),
        (typeshapes.TypeShape, TypeView),
    ],
)
def test_an_answer_has_the_fields_of_what_it_shows(shape: type[Any], kept: type[Any]) -> None:
    assert names_of(shape) == names_of(kept)


def test_a_backup_a_token_and_a_problem_have_their_fields() -> None:
    assert names_of(shapes.BackupShape) == names_of(Backup) | {"links"}
    assert names_of(shapes.TokenShape) == names_of(Token) - {"digest", "uses", "used"} | {"links", "works", "join"}
    problem = Problem(status=400, code="bad_request", detail="").document(instance="/", request_id="x")
    assert names_of(shapes.ProblemShape) == set(problem)


def test_patterns_are_those_of_javascript(document: dict[str, Any]) -> None:
    assert r"\Z" not in json.dumps(document)
    assert document["components"]["schemas"]["JobBody"]["properties"]["type"]["pattern"] == "^[A-Za-z0-9._-]{1,100}$"


def test_states_are_all_there(document: dict[str, Any]) -> None:
    assert set(document["components"]["schemas"]["JobState"]["enum"]) == {state.value for state in JobState}


def test_what_holds_no_secret_needs_no_token(document: dict[str, Any]) -> None:
    public = {path for path, calls in document["paths"].items() for call in calls.values() if not call["security"]}
    assert public == {"/livez", "/readyz", "/openapi.json", "/tasks/index.json", "/tasks/{name}.js"}


def test_each_call_names_the_scope_of_its_handler(document: dict[str, Any]) -> None:
    for path, method, scope in (
        ("/api/v1/jobs", "get", Scope.READ),
        ("/api/v1/jobs", "post", Scope.SUBMIT),
        ("/api/v1/jobs/{id}/cancel", "post", Scope.OPERATE),
        ("/api/v1/tokens", "get", Scope.ADMIN),
    ):
        call = document["paths"][path][method]
        assert [scopes for way in call["security"] for scopes in way.values()] == [[scope.value]] * 3
        assert call["description"].endswith(f"Needs the scope `{scope}`.")


def test_a_call_names_all_scopes_that_it_needs(document: dict[str, Any]) -> None:
    call = document["paths"]["/api/v1/jobs/{id}/duplicate"]["post"]
    assert [scopes for way in call["security"] for scopes in way.values()] == [["submit", "operate"]] * 3
    assert call["description"].endswith("Needs the scopes `submit` and `operate`.")


def test_an_answer_with_chosen_fields_has_any_of_those_of_a_whole_one(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    assert list(schemas["JobPart"]["properties"]) == list(schemas["Job"]["properties"])
    assert set(schemas["Job"]["properties"]) == set(JOB_ANSWER)
    assert set(schemas["JobLine"]["properties"]) == set(LINE_FIELDS)
    assert set(schemas["ListedJobPart"]["properties"]) == {*LINE_FIELDS, "snippets"}
    assert schemas["JobPart"]["required"] == schemas["ListedJobPart"]["required"] == []
    assert schemas["JobsPart"]["properties"]["items"]["items"] == {"$ref": "#/components/schemas/ListedJobPart"}


def test_the_document_names_the_path_of_the_server(house: House, tasks: TaskDirectory) -> None:
    specs = routes(house.dispatcher, Settings(), tasks)
    assert described(specs, "/pagehand")["servers"] == [{"url": "/pagehand"}]
