"""What a principal may do, and the words in which it is refused."""

from __future__ import annotations

import pytest

from dispatcher.access.principal import ADMINISTRATOR, ANYBODY, Principal
from dispatcher.access.scopes import Scope, with_included
from dispatcher.errors import Forbidden

SCANNER = Principal(
    name="scanner", scopes=frozenset({Scope.SUBMIT}), types=frozenset({"scan", "copy"}), token_id="abcd1234"
)


@pytest.mark.parametrize(
    ("given", "had"),
    [
        ("submit", "submit"),
        ("read", "read"),
        ("worker", "worker"),
        ("operate", "operate read"),
        ("admin", "submit read operate admin worker"),
        ("submit worker", "submit worker"),
        ("", ""),
    ],
)
def test_a_scope_includes_what_it_says_and_no_more(given: str, had: str) -> None:
    assert with_included(map(Scope, given.split())) == frozenset(map(Scope, had.split()))


@pytest.mark.parametrize("scope", Scope)
def test_administrator_and_anybody_may_do_everything(scope: Scope) -> None:
    for principal in (ADMINISTRATOR, ANYBODY):
        principal.needs(scope)
        principal.needs_type("any")
        principal.needs_types_of(["any"])
        principal.needs_no_bound()


@pytest.mark.parametrize("scope", [scope for scope in Scope if scope is not Scope.SUBMIT])
def test_a_refusal_names_the_scope_that_lacks_and_the_token(scope: Scope) -> None:
    SCANNER.needs(Scope.SUBMIT)
    with pytest.raises(
        Forbidden, match=f"needs the scope '{scope.value}', and the token 'scanner' has 'submit'"
    ) as found:
        SCANNER.needs(scope)
    assert found.value.code == "forbidden_scope"


def test_a_bound_names_its_types() -> None:
    SCANNER.needs_type("scan")
    with pytest.raises(Forbidden, match="'scanner' is for jobs of these types alone: 'copy', 'scan'") as found:
        SCANNER.needs_type("print")
    assert found.value.code == "forbidden_type"
    SCANNER.needs_types_of(["scan", "copy"])
    with pytest.raises(Forbidden, match=r"'copy', 'scan'\. This job is of another type\.$") as found:
        SCANNER.needs_types_of(["scan", "print"])
    assert found.value.code == "forbidden_type"
    with pytest.raises(Forbidden, match="about jobs of every type"):
        SCANNER.needs_no_bound()
