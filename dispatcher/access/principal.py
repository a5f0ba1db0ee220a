"""Who asks, as far as we care: a name, scopes and bounds."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from msgspec import Struct

from dispatcher.access.scopes import Scope
from dispatcher.errors import Forbidden

__all__ = ["ADMINISTRATOR", "ANYBODY", "NOBODY", "Principal"]


class Principal(Struct, frozen=True, kw_only=True):
    """Found once for each request."""

    #: For people and for the log; the actor of commands, if there is a token.
    name: str
    #: With those that others include.
    scopes: frozenset[Scope]
    #: The types of jobs that it may know of; None: all.
    types: frozenset[str] | None = None
    #: Empty: there is no token in the table.
    token_id: str = ""

    @property
    def owner(self) -> str | None:
        """The owner of the jobs that it submits; None: it has no token of the store, so nobody is told."""
        return self.name if self.token_id else None

    @property
    def is_submitter(self) -> bool:
        """Whether it is alone with its jobs where owners are kept apart: it submits, and does not administer."""
        return bool(self.token_id) and Scope.SUBMIT in self.scopes and Scope.ADMIN not in self.scopes

    def needs(self, scope: Scope) -> None:
        """Raises Forbidden without the scope."""
        if scope not in self.scopes:
            raise Forbidden(
                f"This needs the scope '{scope.value}', and {self._who()} has "
                f"{_listed(scope.value for scope in Scope if scope in self.scopes)}.",
                code="forbidden_scope",
            )

    def needs_type(self, name: str) -> None:
        """Raises Forbidden if a bound leaves out this type of jobs, which the caller has named himself."""
        if self.types is not None and name not in self.types:
            raise Forbidden(f"{self._bound()} The type '{name}' is none of them.", code="forbidden_type")

    def needs_types_of(self, names: Iterable[str], what: str = "This job is of another type.") -> None:
        """The same for ``what`` is there already: its types are not told to whom they are closed."""
        if self.types is not None and not self.types.issuperset(names):
            raise Forbidden(f"{self._bound()} {what}", code="forbidden_type")

    def needs_types(self, names: Collection[str]) -> None:
        """Raises Forbidden if a bound leaves one of these types out; no names stand for all types."""
        if not names:
            self.needs_no_bound()
        for name in names:
            self.needs_type(name)

    def needs_no_bound(self) -> None:
        """Raises Forbidden if it is bound to types: for what concerns jobs of every type."""
        if self.types is not None:
            raise Forbidden(f"{self._bound()} This is about jobs of every type.", code="forbidden_type")

    def has_only_its_own(self, what: str) -> Forbidden:
        """The refusal of ``what`` is not about its own jobs, where owners are kept apart."""
        return Forbidden(
            f"The token '{self.name}' submits jobs, and with --isolate it may know of its own alone. {what}",
            code="forbidden_owner",
        )

    def _who(self) -> str:
        return f"the token '{self.name}'" if self.token_id else self.name

    def _bound(self) -> str:
        return f"The token '{self.name}' is for jobs of these types alone: {_listed(sorted(self.types or ()))}."


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"'{name}'" for name in names) or "none"


#: Who shows the token of the settings (``--token``).
ADMINISTRATOR = Principal(name="the administrator", scopes=frozenset(Scope))
#: Everybody, where no token is set.
ANYBODY = Principal(name="anybody", scopes=frozenset(Scope))
#: Who has not been asked for a token.
NOBODY = Principal(name="nobody", scopes=frozenset())
