"""The body of a form: media types however they are written, fields as texts, files by name."""

from __future__ import annotations

import pytest

from dispatcher.errors import BadRequest, Unsupported
from handlers.forms.formbody import read_form
from tests.handlers.conftest import Browser
from tests.support.forms import hidden

PARTS = (
    b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nM\xc3\xbcller\r\n'
    b'--b\r\nContent-Disposition: form-data; name="f"; filename="x.txt"\r\n\r\n1\r\n--b--\r\n'
)


@pytest.mark.parametrize(
    "header",
    [
        "application/x-www-form-urlencoded",
        "Application/X-WWW-Form-UrlEncoded",
        'application/x-www-form-urlencoded; Charset="UTF-8"',
        " application/x-www-form-urlencoded;charset=us-ascii; x=y",
    ],
)
def test_an_urlencoded_form_is_read_however_its_type_is_written(header: str) -> None:
    form = read_form(header, b"a=M%C3%BCller+1%0D%0A&b=&b=2")
    assert (form.field("a"), form.text("a")) == ("Müller 1", "Müller 1\n")
    assert (form.field("b"), form.field("c"), form.names, form.count("b")) == ("2", "", ["a", "b"], 2)


@pytest.mark.parametrize("header", ["multipart/form-data; boundary=b", 'Multipart/Form-Data; x=y; Boundary="b"'])
def test_a_multipart_form_is_read_however_its_type_is_written(header: str) -> None:
    form = read_form(header, PARTS)
    file = form.file("f")
    assert form.field("a") == "Müller"
    assert file is not None
    assert (file.filename, bytes(file.body), form.names) == ("x.txt", b"1", ["a", "f"])


@pytest.mark.parametrize("header", ["", "text/plain", "application/x-www-form-urlencodedx", "multipart/form-datax"])
def test_what_is_no_form_is_unsupported(header: str) -> None:
    with pytest.raises(Unsupported, match="urlencoded or multipart"):
        read_form(header, b"a=1")


def test_a_form_in_another_charset_is_told_to_use_utf_8() -> None:
    with pytest.raises(Unsupported, match="charset=iso-8859-1: send the body in UTF-8"):
        read_form("application/x-www-form-urlencoded; charset=iso-8859-1", b"a=%FC")


def test_a_field_that_is_not_utf_8_is_named_with_its_place() -> None:
    form = read_form("application/x-www-form-urlencoded", b"a=x%0AM%FCller")
    with pytest.raises(
        BadRequest, match=r"The field a is not UTF-8 \(line 2, column 2 has the byte 0xFC, ü in .*: send it as UTF-8"
    ):
        form.text("a")


MANY = "multipart/form-data; boundary=b"
ONE = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(("header", "body"), [(MANY, PARTS), (ONE, b"a=M%C3%BCller&f=1")])
def test_a_byte_order_mark_before_a_form_is_skipped(header: str, body: bytes) -> None:
    form = read_form(header, b"\xef\xbb\xbf" + body)
    assert (form.field("a"), form.names) == ("Müller", ["a", "f"])


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32"])
@pytest.mark.parametrize("header", [MANY, ONE])
def test_a_form_in_utf_16_is_named_as_that(header: str, encoding: str) -> None:
    with pytest.raises(BadRequest, match=r"The form is in UTF-(16|32), not in UTF-8: send it as UTF-8\."):
        read_form(header, PARTS.decode().encode(encoding))


def test_the_name_of_a_field_is_read_as_utf_8() -> None:
    assert read_form(ONE, "Größe=1&Gr%C3%B6%C3%9Fe=2&x%FC=3".encode()).names == ["Größe", "x\ufffd"]


def test_a_file_whose_name_is_not_utf_8_is_named_with_its_place() -> None:
    words = r"The head of a part, .* is not UTF-8 \(line 1, column 53 has the byte 0xFC, ü in .*: send it as UTF-8"
    with pytest.raises(BadRequest, match=words):
        read_form(MANY, PARTS.replace(b"x.txt", b"\xfc.txt"))


@pytest.mark.parametrize("header", ["multipart/form-data", "multipart/form-data; boundary=c"])
def test_a_body_that_is_not_what_its_type_says_is_refused(header: str) -> None:
    with pytest.raises(BadRequest, match="not what its Content-Type says"):
        read_form(header, PARTS)


@pytest.mark.gen_test
async def test_the_pages_form_is_taken_with_capitals_in_its_type(browser: Browser) -> None:
    page = (await browser.get("/submit")).body.decode()
    headers = {"Content-Type": "Application/X-WWW-Form-UrlEncoded; Charset=UTF-8"}
    response = await browser._send("POST", "/submit", body=f"_xsrf={hidden(page)['_xsrf']}&type=x", headers=headers)
    assert response.code == 303


@pytest.mark.gen_test
async def test_who_asks_for_a_page_in_capitals_gets_one(browser: Browser) -> None:
    response = await browser.get("/nope", headers={"Accept": "Text/HTML;q=0.9"})
    assert response.headers["Content-Type"].startswith("text/html")
