"""`python -m plugins.receiver`: for each of Render's signed webhooks of a deployment, a verification."""

from __future__ import annotations

import importlib.util
import sys

_NEEDED = ("standardwebhooks", "starlette", "uvicorn")


def main() -> int:
    """Serve until told to end; returns 0, or 2 where it could not begin."""
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        sys.stderr.write(
            f"{', '.join(missing)} not installed; the receiver needs: pip install 'kamiyo-verify[receiver]'\n"
        )
        return 2
    from plugins.receiver.serving import serve  # noqa: PLC0415 - only now is all there that it imports

    return serve()


if __name__ == "__main__":
    sys.exit(main())
