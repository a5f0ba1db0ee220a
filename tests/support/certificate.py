"""A certificate for a server or a proxy of the tests, made with openssl."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.support.missing import missing

__all__ = ["self_signed"]


def self_signed(directory: Path, name: str = "localhost") -> Path:
    """A file with a key and a certificate that it has signed itself; the certificate alone lies beside it, ``.crt``."""
    if shutil.which("openssl") is None:
        missing("needs openssl on the PATH (Debian: apt-get install openssl)")
    both = directory / "both.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}",
         "-addext", f"subjectAltName=DNS:{name}", "-keyout", str(both), "-out", str(both.with_suffix(".crt"))],
        check=True, capture_output=True,
    )  # fmt: skip
    both.write_bytes(both.read_bytes() + both.with_suffix(".crt").read_bytes())
    return both
