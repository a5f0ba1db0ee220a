"""Where settings come from, which of several sources wins, and what is refused in which words."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import Field
from pathlib import Path
from typing import Any

import pytest

from dispatcher import __version__
from dispatcher.config import checks
from dispatcher.config import help as help_text
from dispatcher.config.settings import Settings, settings_fields
from dispatcher.config.sources import Options, parse, settings_or_exit
from dispatcher.errors import SettingError
from tests.config.reading import HOME, given, refused
from tests.support.places import ROOT

CALLBACK_SECRET = "whsec_" + "ab12" * 11


def toml(tmp_path: Path, text: str) -> str:
    path = tmp_path / "pagehand.toml"
    path.write_text(text, "utf-8")
    return str(path)


# precedence


def test_without_any_source_every_setting_is_its_default() -> None:
    options = parse([], HOME)
    assert options == Options(Settings(store="sqlite:///pagehand.db"), dict.fromkeys(options.origins, "default"))


def test_a_flag_beats_a_variable_beats_the_file_beats_the_default(tmp_path: Path) -> None:
    path = toml(tmp_path, "port = 1\noffer_ttl_s = 2\ndrain_s = 3")
    options = parse(["--config", path, "--port", "10"], {"PAGEHAND_PORT": "20", "PAGEHAND_OFFER_TTL_S": "30"} | HOME)
    made = options.settings
    assert (made.port, made.offer_ttl_s, made.drain_s, made.max_attempts) == (10, 30.0, 3.0, 3)
    origins = [options.origins[name] for name in ("port", "offer_ttl_s", "drain_s", "max_attempts")]
    assert origins == ["command line", "PAGEHAND_OFFER_TTL_S", path, "default"]


def test_a_variable_names_the_file_and_a_flag_names_a_better_one(tmp_path: Path) -> None:
    path = toml(tmp_path, "port = 1")
    assert given(PAGEHAND_CONFIG=path).port == 1
    assert given("--config", path, PAGEHAND_CONFIG="/nowhere").port == 1


@pytest.mark.parametrize("item", settings_fields(), ids=lambda item: item.name)
def test_every_setting_has_a_flag_a_variable_and_a_key_that_mean_the_same(item: Field[Any], tmp_path: Path) -> None:
    texts = {"store": "memory:", "tasks": str(tmp_path), "bind": "::1", "token": "abc", "host_call": "Print"}
    texts |= {
        "allow_host": "a.example",
        "front": "tornado",
        "node": "east-1",
        "env_label": "Test 2",
        "allow_origin": "https://a.example",
        "public_url": "http://localhost:9",
        "insecure": "yes",
        "isolate": "yes",
        "late_accept": "no",
        "search": "no",
        "log_format": "json",
        "backup_dir": str(tmp_path),
        "transports": "polling",
        "webhook_allow": "10.0.0.0/8",
        "callback_host": "shop.example:8443",
        "callback_secret": CALLBACK_SECRET,
    }
    more = {  # what some cannot be without
        "callback_host": {"PAGEHAND_CALLBACK_SECRET": CALLBACK_SECRET},
        "hsts_s": {"PAGEHAND_PUBLIC_URL": "https://localhost:9"},
        "isolate": {"PAGEHAND_TOKEN": "abc"},
        "node": {"PAGEHAND_STORE": "postgresql://db/jobs"},
    }.get(item.name, {})
    # No number is at its bound, nor at its default.
    text = texts.get(item.name) or str(getattr(Settings(), item.name) + 1)
    flag, variable = help_text.flag(item.name), "PAGEHAND_" + item.name.upper()
    switch = {"yes": [flag], "no": [flag.replace("--", "--no-", 1)]}
    by_flag = given(*switch.get(text, [flag, text]), **more)
    by_variable = given(**{variable: text} | more)
    value = getattr(by_flag, item.name)
    by_file = given("--config", toml(tmp_path, f"{item.name} = {help_text.toml_text(value)}"), **more)
    assert by_flag == by_variable == by_file
    assert value != getattr(Settings(), item.name)


def test_an_empty_variable_counts_as_not_set() -> None:
    assert given(PAGEHAND_PORT="", PAGEHAND_TOKEN="").port == 8888


def test_a_switch_can_be_taken_back_by_a_flag() -> None:
    assert given(PAGEHAND_INSECURE="on").insecure
    assert not given("--no-insecure", PAGEHAND_INSECURE="on").insecure


def test_a_list_is_repeated_flags_or_commas_and_the_stronger_source_replaces_the_whole() -> None:
    assert given(PAGEHAND_ALLOW_HOST="a, b,").allow_host == ("a", "b")
    assert given("--allow-host", "c", "--allow-host", "d", PAGEHAND_ALLOW_HOST="a").allow_host == ("c", "d")


# the token


def test_a_token_file_gives_the_token_and_says_where_it_came_from(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("s3cret\n")
    by_variable = {"PAGEHAND_TOKEN_FILE": str(path)} | HOME
    for options in (parse(["--token-file", str(path)], HOME), parse([], by_variable)):
        assert options.settings.token == "s3cret"
        assert str(path) in options.origins["token"]


def test_a_stronger_token_beats_a_weaker_token_file_which_is_not_read() -> None:
    assert given("--token", "abc", PAGEHAND_TOKEN_FILE="/nowhere").token == "abc"


def test_token_and_token_file_from_one_source_are_refused() -> None:
    assert "not both" in refused(PAGEHAND_TOKEN="abc", PAGEHAND_TOKEN_FILE="/nowhere")


@pytest.mark.parametrize("content", [b"", b" \n", b"\xff\xfe"])
def test_a_token_file_that_holds_no_token_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "token").write_bytes(content)
    assert "token file" in refused("--token-file", str(tmp_path / "token"))


def test_a_refused_token_is_not_shown() -> None:
    assert "hush hush" not in refused("--token", "hush hush")
    assert "hush hush" not in refused("--callback-secret", "hush hush")


@pytest.mark.parametrize("host", ["10.0.0.0/8", "shop.example:0", "https://shop.example", "a@b"])
def test_a_callbacks_host_is_named_plainly(host: str) -> None:
    message = refused("--callback-host", host, "--callback-secret", CALLBACK_SECRET)
    assert "--callback-host must be a host" in message


def test_a_callbacks_host_needs_a_secret() -> None:
    assert "PAGEHAND_CALLBACK_SECRET" in refused("--callback-host", "shop.example")


# unknown names


@pytest.mark.parametrize(
    ("argv", "environ", "words"),
    [
        (["--prot", "1"], {}, "unknown flag --prot; did you mean --port?"),
        (["--offer-ttl=1"], {}, "did you mean --offer-ttl-s?"),
        (["--por", "1"], {}, "unknown flag --por"),  # no abbreviations
        (["junk"], {}, "unknown argument junk"),
        (["--port"], {}, "--port: expected one argument"),
        ([], {"PAGEHAND_PROT": "1"}, "unknown variable PAGEHAND_PROT; did you mean PAGEHAND_PORT?"),
    ],
)
def test_an_unknown_name_is_refused_with_a_suggestion(argv: list[str], environ: dict[str, str], words: str) -> None:
    assert words in refused(*argv, **environ)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("offer-ttl-s = 1", "did you mean offer_ttl_s?"),
        ("[jobs]\nmax_attempts = 1", "not in tables"),
        ("port = ", "not valid TOML"),
        ('port = "8888"', "--port must be a whole number between 0 and 65535, not '8888'"),
        ("drain_s = true", "--drain-s must be between 0.1 and 3600 s, not True"),
        ('insecure = "yes"', "--insecure must be true or false"),
        ("token = 12", "--token must be text"),
        ('allow_host = "a"', "--allow-host must be a list of texts"),
        ("allow_host = [1]", "--allow-host must be a list of texts"),
    ],
)
def test_a_bad_file_is_refused_and_named(tmp_path: Path, text: str, words: str) -> None:
    path = toml(tmp_path, text)
    message = refused("--config", path)
    assert words in message
    assert path in message


def test_a_missing_file_is_refused() -> None:
    assert refused(PAGEHAND_CONFIG="/nowhere.toml") == (
        "cannot read /nowhere.toml (from PAGEHAND_CONFIG): No such file or directory"
    )


# values


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["--offer-ttl-s", "0"], "--offer-ttl-s must be between 0.1 and 3600 s, not 0.0 (from command line)"),
        (["--offer-ttl-s", "nan"], "not nan"),
        (["--offer-ttl-s", "inf"], "not inf"),
        (["--offer-ttl-s", "10s"], "not '10s'"),
        (["--max-attempts", "0"], "--max-attempts must be a whole number between 1 and 100, not 0"),
        (["--max-attempts", "2.5"], "not '2.5'"),
        (["--port", "65536"], "--port must be a whole number between 0 and 65535"),
        (["--body-limit", "16777217"], "between 1024 and 16777216 bytes"),
        (["--bind", "127.0.0.1:80 "], "--port"),
        (["--allow-host", "https://a.example/"], "a host name"),
        (["--allow-origin", "a.example"], "an origin like"),
        (["--allow-origin", "https://a.example/x"], "without a path"),
        (["--host-call", "print()"], "the name of a method"),
        (["--tasks", "/nowhere"], "--tasks must be a directory"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_with_flag_range_unit_and_origin(argv: list[str], words: str) -> None:
    message = refused(*argv)
    assert words in message
    assert message.startswith(argv[0])
    assert message.endswith("(from command line)")


@pytest.mark.parametrize("name", [item.name for item in settings_fields() if "low" in item.metadata])
def test_both_ends_of_a_range_are_taken_and_nothing_beyond(name: str) -> None:
    item = next(item for item in settings_fields() if item.name == name)
    low, high = item.metadata["low"], item.metadata["high"]
    make: Any = Settings
    for inside in (low, high):
        make(**{name: inside if item.type == "float" else int(inside)})
    for outside in (low - 1, high + 1, float("nan"), True, "1"):
        with pytest.raises(SettingError, match=name):
            make(**{name: outside})


# contradictions


def test_a_larger_body_limit_alone_makes_room_in_the_poll_limit() -> None:
    made = given("--body-limit", str(16 << 20))
    assert made.poll_limit >= made.body_limit + 65_536


@pytest.mark.parametrize(
    "argv",
    [
        ["--poll-limit", "70000"],
        ["--queue-bytes", "1048576", "--body-limit", "1048577"],
        ["--backoff-max-s", "1", "--backoff-base-s", "2"],
        ["--backoff-base-s", "301"],
    ],
)
def test_settings_that_contradict_each_other_are_refused(argv: list[str]) -> None:
    assert "(from command line)" in refused(*argv)


@pytest.mark.parametrize("bind", ["127.0.0.1", "127.8.9.1", "::1", "localhost", "LOCALHOST"])
def test_loopback_needs_no_token(bind: str) -> None:
    assert given("--bind", bind).bind == bind


def test_owners_are_kept_apart_only_where_there_are_tokens() -> None:
    assert "--isolate tells owners by their tokens" in refused("--isolate")
    assert given("--isolate", "--token", "abc").isolate
    assert not given().isolate


@pytest.mark.parametrize("bind", ["0.0.0.0", "::", "", "10.1.2.3", "intranet", "localhost.example", "fe80::1"])
def test_a_bind_beyond_loopback_needs_a_token_or_insecure(bind: str, tmp_path: Path) -> None:
    for message in (refused("--bind", bind), refused("--bind", bind, "--token", "")):
        assert "--token-file" in message
        assert "--insecure" in message
    assert given("--bind", bind, "--token", "abc").token
    assert given("--bind", bind, "--insecure").insecure


@pytest.mark.parametrize("store", ["memory:", "sqlite:///a.db", "sqlite:////var/lib/a.db", "sqlite:///C:/a.db"])
def test_a_known_store_is_taken(store: str) -> None:
    assert given("--store", store).store == store


@pytest.mark.parametrize("store", ["a.db", "sqlite://a.db", "sqlite:///", "sqlite:///:memory:", "redis://a"])
def test_an_unknown_store_is_refused(store: str) -> None:
    assert "--store takes 'sqlite:///jobs.db'" in refused("--store", store)


@pytest.mark.parametrize("store", ["postgres://a/b", "postgresql://anna@a:5432/b?sslmode=verify-full", "postgresql://"])
def test_an_address_of_postgresql_is_taken_as_it_is(store: str) -> None:
    assert given("--store", store).store == store


@pytest.mark.parametrize(
    "store", ["mysql://anna:s3cret@a/b", "mysql://a/b?user=anna&password=s3cret", "x://:s3/cret@a"]
)
def test_the_password_of_a_store_that_is_refused_is_not_repeated(store: str) -> None:
    words = refused("--store", store)
    assert "s3" not in words
    assert "cret" not in words


# the default store


def test_the_default_store_is_a_file_here_in_a_checkout(tmp_path: Path) -> None:
    (tmp_path / "Makefile").touch()
    assert checks.default_store(tmp_path, {}) == "sqlite:///pagehand.db"


def test_the_default_store_is_in_the_users_data_directory_when_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def default(platform: str, **environ: str) -> str:
        monkeypatch.setattr(sys, "platform", platform)
        return checks.default_store(tmp_path, environ)

    assert default("linux", HOME="/h") == "sqlite:////h/.local/share/pagehand/pagehand.db"
    assert default("linux", HOME="/h", XDG_DATA_HOME="/d") == "sqlite:////d/pagehand/pagehand.db"
    assert default("linux", HOME="/h", XDG_DATA_HOME="d") == "sqlite:////h/.local/share/pagehand/pagehand.db"
    assert default("darwin", HOME="/h") == "sqlite:////h/Library/Application Support/pagehand/pagehand.db"
    assert default("win32", LOCALAPPDATA="C:/l") == "sqlite:///C:/l/pagehand/pagehand.db"
    with pytest.raises(SettingError, match="--store"):
        default("linux")


# what people see


def test_print_config_is_toml_that_gives_the_same_settings_and_masks_the_token(tmp_path: Path) -> None:
    argv = ["--token", "hush", "--allow-host", 'a"\\b'[0], "--offer-ttl-s", "0.25", "--body-limit", "16777216"]
    options = parse(argv, HOME)
    text = help_text.config(options.settings, options.origins)
    assert "hush" not in text
    assert "offer_ttl_s = 0.25" in text
    again = parse(["--config", toml(tmp_path, text), "--token", "hush"], HOME)
    assert again.settings == options.settings


def test_awkward_text_survives_print_config(tmp_path: Path) -> None:
    path = tmp_path / 'a "quoted" \\ tab\t'
    path.mkdir()
    options = parse(["--tasks", str(path)], HOME)
    text = help_text.config(options.settings, options.origins)
    assert given("--config", toml(tmp_path, text)).tasks == str(path)


def test_bad_settings_end_a_program_with_two_and_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        settings_or_exit(["--port", "x"], HOME)
    assert caught.value.code == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines == ["pagehand: --port must be a whole number between 0 and 65535, not 'x' (from command line)"]


@pytest.mark.parametrize(("flag", "words"), [("--print-config", "port = 8888"), ("--version", __version__)])
def test_print_config_and_version_print_and_end_with_zero(
    flag: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        settings_or_exit([flag], HOME)
    assert caught.value.code == 0
    assert words in capsys.readouterr().out


def test_help_names_every_flag_and_fits_eighty_columns(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        settings_or_exit(["--help", "--port", "x"], HOME)
    assert caught.value.code == 0
    text = capsys.readouterr().out
    assert max(map(len, text.splitlines())) <= 80
    for item in settings_fields():
        assert help_text.flag(item.name) in text


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        (60, "s", "60 s"),
        (300, "s", "300 s (5 min)"),
        (3_600, "s", "3600 s (1 h)"),
        (86_400, "s", "86400 s (24 h)"),
        (604_800, "s", "604800 s (7 d)"),
        (0.1, "s", "0.1 s"),
        (1 << 20, "bytes", "1048576 bytes (1 MiB)"),
        (5, "", "5"),
    ],
)
def test_an_amount_is_also_shown_in_a_larger_unit_where_that_is_round(value: float, unit: str, words: str) -> None:
    assert help_text.amount(value, unit) == words


def test_the_reference_page_is_fresh() -> None:
    made = subprocess.run(
        [sys.executable, "-m", "dispatcher.config.sources", "--markdown"],
        cwd=ROOT,
        env=os.environ | {"PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        check=True,
        encoding="utf-8",
    ).stdout
    assert (ROOT / "docs/settings.md").read_text("utf-8") == made, "run make docs"
