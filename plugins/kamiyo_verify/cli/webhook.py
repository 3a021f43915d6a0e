"""`kamiyo-verify webhook`: start a verification for each signed deployment webhook from Render."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence

_NEEDED = ("standardwebhooks", "starlette", "uvicorn")


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until stopped; return 0, or 2 if the server could not start."""
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        sys.stderr.write(
            f"{', '.join(missing)} not installed; the receiver needs: pip install 'kamiyo-verify[receiver]'\n"
        )
        return 2
    from kamiyo_verify.webhook.serving import serve  # noqa: PLC0415 - needs the packages checked above

    return serve(arguments)
