"""Where the address and the token come from."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dispatcher.sdk.client.config import config_path, find_config
from dispatcher.sdk.client.errors import BadConfig


def file_with(directory: Path, text: str) -> Path:
    path = directory / "config.toml"
    path.write_text(text, "utf-8")
    return path


def found(
    directory: Path, text: str = "", url: str | None = None, token: str | None = None, **environ: str
) -> tuple[str, str | None]:
    config = find_config(url, token, environ=environ, path=file_with(directory, text))
    return config.url, config.token


def test_an_argument_goes_before_the_environment_before_the_file_before_the_default(tmp_path: Path) -> None:
    text = 'url = "http://file:1"\ntoken = "of-file"\n'
    environ = {"PAGEHAND_URL": "http://environ:2/base/", "PAGEHAND_TOKEN": "of-environ"}
    assert found(tmp_path, text, "https://argument", "of-argument", **environ) == (
        "https://argument:443",
        "of-argument",
    )
    assert found(tmp_path, text, **environ) == ("http://environ:2/base", "of-environ")
    assert found(tmp_path, text) == ("http://file:1", "of-file")
    assert found(tmp_path) == ("http://127.0.0.1:8888", None)


def test_the_token_of_the_file_goes_to_its_own_server_alone(tmp_path: Path) -> None:
    text = 'url = "http://file:1"\ntoken = "of-file"\n'
    assert found(tmp_path, text, "http://elsewhere:1") == ("http://elsewhere:1", None)
    assert found(tmp_path, text, "http://file:1/") == ("http://file:1", "of-file")


def test_a_file_may_have_the_token_alone(tmp_path: Path) -> None:
    (tmp_path / "token.txt").write_text("secret\n", "utf-8")
    assert found(tmp_path, PAGEHAND_TOKEN_FILE=str(tmp_path / "token.txt"))[1] == "secret"
    assert found(tmp_path, f'token_file = "{tmp_path}/token.txt"')[1] == "secret"


def test_an_address_may_be_ipv6_and_have_a_path(tmp_path: Path) -> None:
    config = find_config("https://[::1]:8443/pagehand/", None, environ={}, path=file_with(tmp_path, ""))
    assert (config.url, config.address.host, config.address.netloc) == (
        "https://[::1]:8443/pagehand",
        "::1",
        "[::1]:8443",
    )


@pytest.mark.parametrize("url", ["ftp://a", "http://", "http://a:99999", "http://me:hush@a", "http://hush@[::1"])
def test_a_wrong_address_is_refused_and_not_repeated(tmp_path: Path, url: str) -> None:
    with pytest.raises(BadConfig, match="the address of the server") as error:
        found(tmp_path, url=url)
    assert "hush" not in str(error.value)


def test_a_wrong_token_and_a_wrong_file_are_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="is it whole") as error:
        found(tmp_path, token="hush\nhush")
    assert "hush" not in str(error.value)
    for text in ("tokn = 'a'", "url = 3", "not toml"):
        with pytest.raises(BadConfig, match=r"config\.toml"):
            found(tmp_path, text)
    with pytest.raises(BadConfig, match="the file of the token"):
        found(tmp_path, PAGEHAND_TOKEN_FILE=str(tmp_path / "none"))


def test_the_file_lies_where_files_of_settings_lie() -> None:
    home = {"HOME": "home", "USERPROFILE": "home"}
    assert config_path(home) == Path("home/.config/pagehand/config.toml")
    assert config_path({**home, "XDG_CONFIG_HOME": "x", "APPDATA": "x"}) == Path("x/pagehand/config.toml")
    assert config_path({}) is None
    assert os.name == "posix"


def test_a_token_is_in_no_repr(tmp_path: Path) -> None:
    assert "hush" not in repr(find_config(None, "hush", environ={}, path=file_with(tmp_path, "")))
