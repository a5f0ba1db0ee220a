"""Signatures as the Standard Webhooks have them."""

from __future__ import annotations

from dispatcher.webhooks.signing import headers_of, secret_text, signature

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_a_signature_is_that_of_the_standards_example() -> None:
    body = b'{"test": 2432232314}'
    signed = signature(SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_two_secrets_make_two_signatures() -> None:
    headers = headers_of("msg_1", 1_700_000_000, b"{}", (SECRET, secret_text(b"k" * 32)))
    new, old = headers["webhook-signature"].split(" ")
    assert new == signature(SECRET, "msg_1", 1_700_000_000, b"{}") != old
    assert (headers["webhook-id"], headers["webhook-timestamp"]) == ("msg_1", "1700000000")
