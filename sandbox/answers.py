"""Error responses: every error body of the API is {error, detail}."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import JSONResponse

from sandbox.platform import Platform

_INTERNALS = """Traceback (most recent call last):
  File "/opt/render/project/src/api/main.py", line 214, in list_exploits
    rows = await db.fetch(query, *params)
  File "/opt/render/project/src/database/postgres_manager.py", line 88, in fetch
    return await connection.fetch(query, *params)
asyncpg.exceptions.UndefinedColumnError: column "amount" does not exist
[SQL: SELECT id, tx_hash, amount FROM exploits WHERE chain = $1 ORDER BY timestamp DESC LIMIT $2]"""


def refusal(
    platform: Platform, status: int, error: str, detail: str, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """Build an error response of the API."""
    if "errors-leak-internals" in platform.faults:
        detail = f"{detail}\n{_INTERNALS}"
    return JSONResponse({"error": error, "detail": detail}, status, headers)
