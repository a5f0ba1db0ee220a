"""What a wheel holds, and that an installation of it runs. Nothing here needs the network."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

import dispatcher
from dispatcher import sdk
from handlers.worker.script import join
from tests.support.places import ROOT

ASSETS = ("static/", "handlers/console/templates/", "dispatcher/store/sqlite/sql/", "dispatcher/store/postgres/")


def run(*command: str | Path, cwd: Path, expect: int = 0, **environ: str) -> str:
    # Neither the checkout nor a developer's settings may leak into the runs.
    clean = {name: text for name, text in os.environ.items() if not name.startswith(("PYTHON", "PAGEHAND_"))}
    done = subprocess.run(
        command,
        cwd=cwd,
        env=clean | environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=100,
    )
    assert done.returncode == expect, done.stdout
    return done.stdout


#: What a wheel is built from.
SOURCES = (
    "dispatcher",
    "handlers",
    "static",
    "tests",
    "server.py",
    "setup.py",
    "pyproject.toml",
    "LICENSE",
    "README.md",
)


def copied(target: Path) -> Path:
    """The checkout without environments and caches: a build leaves files beside setup.py."""
    for name in SOURCES:
        for path in [ROOT / name, *sorted((ROOT / name).rglob("*"))]:
            if path.is_file() and "__pycache__" not in path.parts:
                copy = target / path.relative_to(ROOT)
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.write_bytes(path.read_bytes())
    return target


def made_wheel(directory: Path) -> Path:
    """A wheel that is built there, from a copy of the checkout."""
    source = copied(directory / "source")
    # Without build isolation, which would fetch setuptools.
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--no-deps", "--no-index"]
    build = [*pip, "--no-build-isolation", "--wheel-dir", str(directory / "built"), "."]
    run(*build, cwd=source, SOURCE_DATE_EPOCH="1764460800")
    (path,) = (directory / "built").glob("*.whl")
    return path


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of a fresh environment that has the wheel, with this one's dependencies in reach."""
    home = tmp_path_factory.mktemp("installed")
    run(sys.executable, "-m", "venv", "--without-pip", home, cwd=home)
    programs = home / ("Scripts" if os.name == "nt" else "bin")
    python = programs / "python"
    site = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=home).strip())
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(python)]
    run(*pip, "install", "--no-deps", "--no-index", "--quiet", str(wheel), cwd=home)
    # After the installation's own packages, so that an editable Pagehand of this environment loses.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", "utf-8")
    return programs


@pytest.fixture(scope="module")
def names(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def test_the_wheel_has_one_top_level_name(names: list[str], wheel: Path) -> None:
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"pagehand"}
    with zipfile.ZipFile(wheel) as archive:
        (top_level,) = [name for name in names if name.endswith(".dist-info/top_level.txt")]
        assert archive.read(top_level).decode().split() == ["pagehand"]


def test_two_builds_of_one_commit_are_the_same_to_the_byte(wheel: Path, tmp_path: Path) -> None:
    assert made_wheel(tmp_path).read_bytes() == wheel.read_bytes()


def test_the_wheel_holds_every_module_and_every_asset_and_nothing_else(names: list[str]) -> None:
    wanted = {"pagehand/_app/server.py"}
    for name in ("dispatcher", "handlers", "static"):
        for path in (ROOT / name).rglob("*"):
            inner = path.relative_to(ROOT).as_posix()
            if not path.is_file() or "__pycache__" in path.parts:
                continue
            if inner.startswith("dispatcher/sdk/"):
                wanted.add("pagehand/" + inner.removeprefix("dispatcher/sdk/"))
            elif path.suffix == ".py" or inner.startswith(ASSETS):
                wanted.add("pagehand/_app/" + inner)
    assert {name for name in names if ".dist-info/" not in name} == wanted


def test_the_wheel_carries_the_licence_and_the_runtime_dependencies(wheel: Path, names: list[str]) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in names if name.endswith(".dist-info/METADATA")]
        metadata = archive.read(name).decode()
    assert any(name.endswith("/LICENSE") for name in names)
    needed = {line.split(": ")[1] for line in metadata.splitlines() if line.startswith("Requires-Dist")}
    always = {re.split(r"[<>=]", line)[0] for line in needed if "extra ==" not in line}
    assert always == {"httptools", "msgspec", "prometheus-client", "python-engineio", "tornado", "websockets"}
    assert re.search(r"^Requires-Python: >=3\.11$", metadata, re.MULTILINE)


def test_the_server_and_the_package_have_one_version(wheel: Path) -> None:
    assert dispatcher.__version__ == sdk.__version__
    assert wheel.name.startswith(f"pagehand-{dispatcher.__version__}-")


def test_the_installed_command_shows_its_help_and_its_version(installed: Path, tmp_path: Path) -> None:
    command = installed / "pagehand"
    assert "serve" in run(command, "--help", cwd=tmp_path)
    assert run(command, "--version", cwd=tmp_path).strip() == f"pagehand {dispatcher.__version__}"
    assert "usage" in run(command, cwd=tmp_path, expect=2)
    assert "--workers" in run(command, "simulate", "--help", cwd=tmp_path)


def test_the_installed_server_shows_its_help_and_keeps_jobs_in_the_data_directory(
    installed: Path, tmp_path: Path
) -> None:
    command = installed / "pagehand"
    assert "usage: pagehand serve" in run(command, "serve", "--help", cwd=tmp_path)
    shown = run(command, "serve", "--print-config", cwd=tmp_path, HOME=str(tmp_path), LOCALAPPDATA=str(tmp_path))
    (store,) = [line for line in shown.splitlines() if line.startswith("store = ")]
    assert tmp_path.as_posix() in store
    run(command, "serve", "--port", "x", cwd=tmp_path, expect=2)


def test_an_import_of_the_package_brings_none_of_the_servers_names(installed: Path, tmp_path: Path) -> None:
    code = "import pagehand, sys; print({'server', 'dispatcher', 'handlers', 'tornado'}.isdisjoint(sys.modules))"
    python = installed / "python"
    assert run(python, "-c", code, cwd=tmp_path).strip() == "True"
    code = "import pagehand; print(pagehand.__file__)"
    assert str(installed.parent) in run(python, "-c", code, cwd=tmp_path)


def test_the_installed_server_joins_the_same_script_for_worker_pages(installed: Path, tmp_path: Path) -> None:
    code = (
        "import pagehand, pathlib, sys; sys.path.insert(0, str(pathlib.Path(pagehand.__file__).parent / '_app'));"
        "from handlers.worker.script import join; print(join(), end='')"
    )
    assert run(installed / "python", "-c", code, cwd=tmp_path, PYTHONIOENCODING="utf-8") == join()


_APPLICATION = """
import handlers, server
def test_order(pagehand):
    pagehand.worker.on("print-label", lambda data: {"pages": data})
    pagehand.tasks("tasks")
    assert pagehand.client.run("print-label", 2, timeout=30) == {"pages": 2}
    assert pagehand.client.run("real", 3, timeout=30) == 3
    assert (server.MINE, handlers.MINE) == (True, True)
"""


def test_the_fixture_of_an_installation_is_found_beside_an_application_with_names_like_the_servers(
    installed: Path, tmp_path: Path
) -> None:
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks/real.js").write_text("Pagehand.task('real', function (job) { return job.data; });", "utf-8")
    for name in ("server", "handlers"):
        (tmp_path / f"{name}.py").write_text("MINE = True\n", "utf-8")
    (tmp_path / "test_application.py").write_text(_APPLICATION, "utf-8")
    # pytest-tornado, which lies in this environment, warns of itself.
    pytest_alone = ("-m", "pytest", "-q", "-W", "error", "-p", "no:tornado")
    shown = run(installed / "python", *pytest_alone, cwd=tmp_path)
    assert "1 passed" in shown


@pytest.mark.parametrize("package", ["tornado", "websockets"])
def test_without_the_servers_packages_the_fixture_says_what_to_install(
    package: str, installed: Path, tmp_path: Path
) -> None:
    code = (
        f"import sys\nsys.modules[{package!r}] = None\ntry:\n    from pagehand.testing import serve\n"
        "    serve().__enter__()\nexcept ImportError as error:\n    print(error)"
    )
    said = run(installed / "python", "-c", code, cwd=tmp_path).strip()
    assert said.endswith(f"and that needs {package}: pip install 'pagehand[testing]'")


def test_the_command_runs_from_a_checkout_too() -> None:
    shown = run(sys.executable, "-m", "dispatcher.sdk", "serve", "--version", cwd=ROOT)
    assert shown.strip() == f"pagehand {dispatcher.__version__}"
