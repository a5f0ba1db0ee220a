"""Files of settings as editors save them: with a byte order mark, or in another encoding than UTF-8."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest

from tests.config.reading import given, refused


def saved(path: Path, raw: bytes) -> str:
    path.write_bytes(raw)
    return str(path)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "a file"


def test_a_byte_order_mark_before_the_configuration_is_skipped(file: Path) -> None:
    path = saved(file, codecs.BOM_UTF8 + b"port = 1\r\nbind = 'localhost'\r\n")
    assert given("--config", path).port == 1


def test_a_byte_order_mark_before_a_token_is_no_part_of_it(file: Path) -> None:
    assert given("--token-file", saved(file, codecs.BOM_UTF8 + b"Ab+/cd9x+Q==\r\n")).token == "Ab+/cd9x+Q=="


def test_a_token_file_that_holds_a_byte_order_mark_alone_is_empty(file: Path) -> None:
    assert "is empty" in refused("--token-file", saved(file, codecs.BOM_UTF8 + b"\r\n"))


@pytest.mark.parametrize("flag", ["--config", "--token-file"])
@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le"])
def test_utf_16_is_named_with_what_to_do(file: Path, flag: str, encoding: str) -> None:
    words = refused(flag, saved(file, "port = 1".encode(encoding)))
    assert f"{file} is in UTF-16, not in UTF-8 (from command line): save it as UTF-8" in words


@pytest.mark.parametrize("flag", ["--config", "--token-file"])
def test_windows_1252_is_named_with_its_place_and_what_to_do(file: Path, flag: str) -> None:
    words = refused(flag, saved(file, "port = 1\n# für alle".encode("cp1252")))
    where = "line 2, column 4 has the byte 0xFC, ü in Windows-1252 and Latin-1"
    assert f"{file} is not UTF-8 ({where}) (from command line): save it as UTF-8" in words


@pytest.mark.parametrize("flag", ["--config", "--token-file"])
def test_a_file_that_is_not_there_is_named(file: Path, flag: str) -> None:
    assert f"{file} (from command line): " in refused(flag, str(file))
