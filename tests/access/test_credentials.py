"""The table of credentials: what opens a worker's identity, and which workers a token has brought."""

from __future__ import annotations

from dispatcher import ids
from dispatcher.access.credentials import Credential, CredentialTable, is_credential
from dispatcher.access.tokens import TOKEN_PATTERN, digest_of

TEXT, OTHER = b"phw_" + b"A" * 43, b"phw_" + b"B" * 43


def credential(worker: str, *texts: bytes, token: str = "abcd1234") -> Credential:
    return Credential(worker=worker, token_id=token, digests=tuple(map(digest_of, texts)), at=1.0)


def test_a_credential_opens_its_own_worker_alone() -> None:
    table = CredentialTable()
    one, two = credential("w1", TEXT), credential("w2", OTHER)
    table.put([one, two])
    assert (table.opens("w1", TEXT), table.opens("w2", OTHER)) == (one, two)
    for worker, text in (("w1", OTHER), ("w2", TEXT), ("w3", TEXT), ("w1", b"")):
        assert table.opens(worker, text) is None


def test_each_of_those_that_a_worker_was_given_opens_it() -> None:
    table = CredentialTable()
    table.put([credential("w1", OTHER, TEXT)])
    assert table.opens("w1", TEXT) is table.opens("w1", OTHER) is table.get("w1")


def test_a_token_knows_its_workers_until_they_go_or_join_with_another() -> None:
    table = CredentialTable()
    table.put([credential(name, TEXT) for name in ("w1", "w2", "w3")])
    assert table.joined_with("abcd1234") == ["w1", "w2", "w3"]
    table.put([credential("w1", TEXT, token="zzzz9999"), Credential(worker="w2"), Credential(worker="never-here")])
    assert (table.joined_with("abcd1234"), table.joined_with("zzzz9999")) == (["w3"], ["w1"])
    assert (table.get("w2"), len(table)) == (None, 2)
    table.put([Credential(worker="w1"), Credential(worker="w3")])
    assert (len(table), table._workers) == (0, {})


def test_a_credential_has_256_bits_and_is_no_token() -> None:
    text = ids.new_credential()
    assert is_credential(text.encode())
    assert len(text) == len("phw_") + 43
    assert text != ids.new_credential()
    assert not is_credential(ids.new_token().encode())
    assert TOKEN_PATTERN.startswith("ph_")
