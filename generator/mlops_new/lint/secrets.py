"""Looks for secrets with detect-secrets, and leaves out what only looks like one."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from mlops_new.errors import MissingExtraError
from mlops_new.lint.diagnostics import Diagnostic

# Hashes of packages, commits and contents are meant to be read.
_HASH = re.compile(r'--hash=sha256:|\bsha256\b|@[0-9a-f]{40}\b|\b_?(?:commit|version): "?[0-9a-f]{7,40}"?\s*$')
_ALLOWED = "pragma: allowlist secret"


def check_secrets(folder: Path, paths: Sequence[str]) -> Iterator[Diagnostic]:
    """Each line that holds what looks like a secret.

    Raises:
        MissingExtraError: detect-secrets is not installed.
    """
    try:
        from detect_secrets.core.secrets_collection import SecretsCollection  # noqa: PLC0415 - an extra
        from detect_secrets.settings import default_settings  # noqa: PLC0415 - as above
    except ImportError:
        raise MissingExtraError("check", "mlops-new lint, for secrets,") from None
    for path in paths:
        lines = (folder / path).read_text(encoding="utf-8", errors="replace").splitlines()
        found = SecretsCollection()
        with default_settings():
            found.scan_file(str(folder / path))
        for _, secret in found:
            line = lines[secret.line_number - 1] if 0 < secret.line_number <= len(lines) else ""
            if not _HASH.search(line) and _ALLOWED not in line:
                message = f"This looks like a secret ({secret.type}): take it out, and make it invalid."
                yield Diagnostic(path, secret.line_number, "secrets", "high", message)
