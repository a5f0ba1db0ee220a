"""What is said where Node's engine.io is not."""

from __future__ import annotations

from bench.node import missing


def test_a_machine_without_node_is_told_so(tmp_path):
    assert missing(tmp_path, None) == "there is no program `node`"


def test_a_directory_without_the_package_is_named_with_the_command_that_fills_it(tmp_path):
    assert str(tmp_path) in missing(tmp_path, "/usr/bin/node")
    assert "npm install --prefix DIR engine.io" in missing(tmp_path, "/usr/bin/node")


def test_nothing_is_missing_where_npm_has_put_it(tmp_path):
    package = tmp_path / "node_modules" / "engine.io"
    package.mkdir(parents=True)
    (package / "package.json").write_text("{}")
    assert missing(tmp_path, "/usr/bin/node") == ""
