"""Checks of the door: does the server answer, is it Pagehand, does it take the token, what does its clock say? Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.utils import parsedate_to_datetime

from .findings import Finding, found, noted, plain, skipped, span, wrong
from .seen import Heard, Mishap, Sighting

__all__ = ["clock", "is_pagehand", "pagehand", "port", "token"]

#: Closer clocks do no harm; a Date tells whole seconds alone.
_CLOCKS_S = 30.0
_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.I | re.S)
_FAR = {
    Mishap.NAME: (
        "no machine has the name {host}: {words}",
        "Look at the spelling, and at the DNS server of this machine; or give the server's IP address.",
    ),
    Mishap.REFUSED: (
        "nothing listens at {host}, port {port}: {words}",
        "Start the server, or give the port that its banner names (--port). A server on another machine must be "
        "started with --bind 0.0.0.0 and a token: without --bind only its own machine reaches it.",
    ),
    Mishap.SILENT: (
        "nobody answers at {host}, port {port}",
        "A firewall throws the packets away, or no machine has this address. Let the port in at the server's firewall.",
    ),
    Mishap.NO_WAY: (
        "there is no way to {host}, port {port}: {words}",
        "Look at this machine's network, and at the address.",
    ),
    Mishap.TLS: (
        "{host}, port {port}, does not speak TLS as this machine wants it: {words}",
        "If the port has plain HTTP, write http:// instead of https://. Else look at the TLS versions of the proxy.",
    ),
    Mishap.CUT: (
        "{host}, port {port}, closes each connection at once: {words}",
        "Something before the server does not let this machine in: look at the rules of the proxy or the firewall.",
    ),
}


def port(seen: Sighting) -> Iterator[Finding]:
    """Whether a connection comes about; with https also whether its certificate is good."""
    step, address = seen.doorstep, seen.address
    if step.mishap is None:
        yield found("port", f"{address.host}, port {address.port}, takes connections ({span(step.took_s)})")
    elif step.mishap is Mishap.CERTIFICATE:
        yield _certificate(seen)
    else:
        says, mend = _FAR[step.mishap]
        straight = f" {seen.proxy_variable} is set here, but Pagehand goes straight." if seen.proxy_variable else ""
        words = says.format(host=plain(address.host), port=address.port, words=plain(step.words))
        yield wrong("port", words, mend + straight)


def _certificate(seen: Sighting) -> Finding:
    step = seen.doorstep
    signed = f"; it was signed by {plain(step.issuer)}" if step.issuer else ""
    return wrong(
        "certificate",
        f"the certificate of {plain(seen.address.host)} is not trusted: {plain(step.words)}{signed}",
        "If that name is a firewall, a virus scanner or a network's sign-in, it opens what is sent: let it pass this "
        "host, or sign in. If it is your own authority, name its certificate in SSL_CERT_FILE. If the certificate is "
        "out of date or of another name, renew it, or use the name that it has.",
    )


# -- who is it


def is_pagehand(seen: Sighting) -> bool:
    """Whether anything of Pagehand's came back."""
    return any(map(_is_ours, seen.ready)) or _is_stats(seen.bare) or bool(seen.bare and seen.bare.code)


def _is_ours(ready: Heard) -> bool:
    return ready.status in (200, 503) and re.match(r"\[[+-]\]", ready.text) is not None


def _is_stats(heard: Heard | None) -> bool:
    return heard is not None and heard.status == 200 and {"jobs", "draining"} <= heard.fields.keys()


def pagehand(seen: Sighting) -> Iterator[Finding]:
    """Whether it is Pagehand, and which version; or what stands before it."""
    if is_pagehand(seen):
        yield found("pagehand", "it is Pagehand" + (f" {version}" if (version := version_of(seen)) else ""))
    heard = seen.bare
    if heard is not None and not _is_api(heard):
        yield _stranger(heard, known=is_pagehand(seen))


def _is_api(heard: Heard) -> bool:
    return _is_stats(heard) or bool(heard.code)


def version_of(seen: Sighting) -> str:
    """Empty if the server did not tell us."""
    text = seen.metrics.text if seen.metrics else ""
    told = re.search(r'^pagehand_build_info\{[^}]*version="([^"]{1,40})"', text, re.M)
    return plain(told[1]) if told else ""


def _stranger(heard: Heard, known: bool) -> Finding:
    """What answered the API's address, if that was not Pagehand."""
    if heard.answer is None:
        return _no_answer(heard)
    title = plain(text[1]) if (text := _TITLE.search(heard.text)) else ""
    shown = f"status {heard.status}" + (f", a page called “{title}”" if title else "")
    if heard.status in (502, 503, 504):
        return wrong(
            "pagehand", f"a proxy answers and does not reach the server ({shown})",
            "Start the server; look at the address and port to which the proxy passes requests.",
        )  # fmt: skip
    if heard.status in (401, 407) or 300 <= heard.status < 400 or (heard.is_html and heard.status in (200, 403)):
        leads = f", it leads to {plain(to.partition('?')[0])}" if (to := heard.headers.get("location", "")) else ""
        return wrong(
            "sign_in", f"something before the server answers with a page or a sign-in of its own ({shown}{leads})",
            "Pages and programs cannot sign in there. Let the proxy pass the paths /engine.io/, /api/, /worker, "
            "/static/ and /tasks/ without its sign-in; the server's own token protects them. Is it a redirection to "
            "the right address? Then give that one as --url.",
        )  # fmt: skip
    where = "the path" if known else "host, port and path, and at http or https,"
    return wrong("pagehand", f"what answers is not Pagehand ({shown})", f"Look at {where} in the address.")


def _no_answer(heard: Heard) -> Finding:
    if heard.mishap is Mishap.SILENT:
        return wrong(
            "pagehand", f"the connection is taken, but no answer comes within {span(heard.took_s)}",
            "The server hangs or is far too busy, or what takes the connection does not pass it on: "
            "look at the server's log, and ask it on its own machine.",
        )  # fmt: skip
    return wrong(
        "pagehand", f"no whole answer in HTTP comes: {plain(heard.words)}",
        "Is it another program's port, or one for https? Then write https://.",
    )  # fmt: skip


# -- the token

_TAKEN_AWAY = wrong(
    "token", "the server takes it in X-Pagehand-Token, but not in Authorization",
    "A proxy before the server keeps the header Authorization for itself, or changes it. Let it pass, or send "
    "X-Pagehand-Token: the Python client sends Authorization.",
)  # fmt: skip
_LIMITED = noted(
    "token", "the server takes it, but not for reading everything: what needs that was not looked at",
    "Nothing is wrong with a program's token of this kind. For the other checks give one with the scope read that is "
    "not bound to types.",
)  # fmt: skip
#: By the code of the refusal.
_TOKENS = {
    "forbidden_scope": _LIMITED,
    "forbidden_type": _LIMITED,
    "forbidden_owner": _LIMITED,
    "too_many_wrong_tokens": wrong(
        "token", "the server does not even look at it: too many wrong ones have come from this address",
        "Wait a minute. Who shows the wrong ones is in the server's log; it may be another machine behind the same "
        "proxy. Tokens that were made by /api/v1/tokens are never slowed.",
    ),
}  # fmt: skip


def token(seen: Sighting) -> Iterator[Finding]:
    """Whether the server takes the token, in the header that programs use."""
    if seen.shown is None:
        yield from _without(seen)
    elif _is_stats(seen.shown):
        unused = seen.bare is not None and _is_stats(seen.bare)
        yield noted("token", "the server asks for none") if unused else found("token", "the server takes it")
    elif seen.shown_apart is not None and _is_stats(seen.shown_apart):
        yield _TAKEN_AWAY
    elif seen.shown.code:
        yield _TOKENS.get(seen.shown.code) or _refused(seen.shown)
    else:
        yield skipped("token", "another answer came than the server's")


def _refused(shown: Heard) -> Finding:
    if shown.status == 401:
        return wrong(
            "token", "the server does not take it",
            "Give what the server was started with (--token, --token-file), or one that was made there and still "
            "works: is it whole, is it of this server? After a change of the file the server needs SIGHUP.",
        )  # fmt: skip
    return skipped("token", f"the server answered {shown.code}")


def _without(seen: Sighting) -> Iterator[Finding]:
    if seen.bare is not None and seen.bare.code and seen.bare.status == 401:
        yield wrong(
            "token", "the server asks for its token, and none was given: what needs it was not looked at",
            "Give --token, PAGEHAND_TOKEN or PAGEHAND_TOKEN_FILE.",
        )  # fmt: skip
    elif _is_stats(seen.bare):
        yield found("token", "the server asks for none")


# -- the clock


def clock(seen: Sighting) -> Iterator[Finding]:
    """Whether the server's clock and this machine's tell the same."""
    heard = next((heard for heard in seen.ready if "date" in heard.headers and "age" not in heard.headers), None)
    if heard is None:
        return
    try:
        ahead_s = parsedate_to_datetime(heard.headers["date"]).timestamp() - heard.at_s
    except (ValueError, OverflowError):
        yield noted("clock", "the header Date of the answers is no date", "A proxy has made it: look there.")
        return
    if abs(ahead_s) <= _CLOCKS_S + heard.took_s:
        yield found("clock", "the server's clock and this machine's tell the same")
        return
    yield wrong(
        "clock", f"the server's clock, or the proxy's, is {span(ahead_s)} {'ahead of' if ahead_s > 0 else 'behind'} "
        "this machine's",
        "Let both ask a time server (NTP). Delays and expiries of jobs follow the server's clock.",
    )  # fmt: skip
