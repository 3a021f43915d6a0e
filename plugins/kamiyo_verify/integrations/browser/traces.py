"""A trace of a page's actions, for Playwright's viewer, without anything that could be a secret.

A trace of Playwright holds the headers, the cookies and the bodies of every request. So it is not kept as it
is: a new trace is written from the parts that are known to be harmless. If a version of Playwright writes
another format, the trace becomes smaller, and never leaks.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from kamiyo_verify.http.readable import masked_url

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext

_LARGEST = 2_000_000
_LARGEST_UNPACKED = 50_000_000
_EVENTS = frozenset({"context-options", "before", "input", "after", "log", "frame-snapshot"})
_FIELDS = {"INPUT", "TEXTAREA"}
_RESOURCE = re.compile(r"resources/[\w.-]+")
_STYLING = ("text/css", "image/", "font/", "application/font")
"""Bodies with styles and no data: without them the viewer shows unstyled text."""


class Trace:
    """Records one visit.

    Args:
        keep: saves the finished trace.
        mask: returns JSON-safe data of the same shape without secrets.
    """

    def __init__(self, keep: Callable[[bytes], None], mask: Callable[[Any], Any]) -> None:
        self._keep = keep
        self._mask = mask

    async def begin(self, context: BrowserContext) -> None:
        """Start to record."""
        await context.tracing.start(snapshots=True, screenshots=False, sources=False)

    async def end(self, context: BrowserContext, *, kept: bool) -> None:
        """Stop recording, and save the trace if `kept`; raises only Playwright's exceptions."""
        if not kept:
            await context.tracing.stop()
            return
        with TemporaryDirectory() as folder:
            path = Path(folder) / "trace.zip"
            await context.tracing.stop(path=path)
            made = harmless(path.read_bytes(), self._mask) if path.stat().st_size < _LARGEST * 5 else b""
        if 0 < len(made) <= _LARGEST:
            self._keep(made)


def harmless(trace: bytes, mask: Callable[[Any], Any]) -> bytes:
    """The trace without headers, cookies, bodies, console output and known secrets; b"" if too large."""
    made = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(trace)) as read,
        zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as written,
    ):
        if sum(entry.file_size for entry in read.infolist()) > _LARGEST_UNPACKED:
            return b""
        looks: set[str] = set()
        for name in read.namelist():
            if name.endswith(".network"):
                requests = [one for line in _lines(read, name) if (one := _request(line, looks)) is not None]
                written.writestr(name, _jsonl(mask(requests)))
            elif name.endswith(".trace"):
                events = [line for line in _lines(read, name) if line.get("type") in _EVENTS]
                written.writestr(name, _jsonl(mask([_event(line) for line in events])))
        for name in sorted(looks & set(read.namelist())):
            written.writestr(name, _masked_text(read.read(name), mask))
    return made.getvalue()


def _lines(read: zipfile.ZipFile, name: str) -> Iterator[dict[str, Any]]:
    for line in read.read(name).decode(errors="replace").splitlines():
        try:
            found = json.loads(line)
        except ValueError:
            continue
        if isinstance(found, dict):
            yield found


def _event(line: dict[str, Any]) -> dict[str, Any]:
    """An action or a snapshot, without arguments and results of scripts, and without options."""
    kept = {key: value for key, value in line.items() if key not in {"params", "result", "options"}}
    if line.get("type") == "context-options":
        return kept | {"options": {"viewport": (line.get("options") or {}).get("viewport")}}
    params = line.get("params")
    if isinstance(params, dict):
        kept["params"] = {key: params[key] for key in ("selector", "url") if key in params}
    if "snapshot" in kept and isinstance(kept["snapshot"], dict):
        address = str(kept["snapshot"].get("frameUrl", ""))
        html = _without_values(kept["snapshot"].get("html"))
        kept["snapshot"] = kept["snapshot"] | {"frameUrl": masked_url(address), "html": html}
    return kept


def _without_values(node: Any) -> Any:
    """A page as a snapshot holds it, [name, attributes, …children], without the values of its fields."""
    if not isinstance(node, list):
        return node
    if len(node) < 2 or not isinstance(node[0], str) or not isinstance(node[1], dict):
        return [_without_values(one) for one in node]
    attributes = node[1]
    if node[0].upper() in _FIELDS:
        attributes = {key: one for key, one in attributes.items() if "value" not in key.lower()}
    return [node[0], attributes, *map(_without_values, node[2:])]


def _request(line: dict[str, Any], looks: set[str]) -> dict[str, Any] | None:
    """Address, status and times of a request; of the bodies only styles, whose names are added to `looks`."""
    snapshot = line.get("snapshot")
    if line.get("type") != "resource-snapshot" or not isinstance(snapshot, dict):
        return None
    request, response = snapshot.get("request") or {}, snapshot.get("response") or {}
    content = response.get("content") or {}
    kind = str(content.get("mimeType", ""))
    body: dict[str, Any] = {"mimeType": kind, "size": content.get("size", 0)}
    if kind.startswith(_STYLING):
        # Playwright first names the file by its hash alone, later by its full name.
        named = {"_sha1": f"resources/{content.get('_sha1')}", "_file": str(content.get("_file"))}
        for key, file in named.items():
            if key in content and _RESOURCE.fullmatch(file):
                looks.add(file)
                body[key] = content[key]
    address = masked_url(str(request.get("url", "")))
    nothing: dict[str, Any] = {
        "httpVersion": "",
        "headersSize": -1,
        "bodySize": -1,
        "headers": [],
        "cookies": [],
    }
    kept = {
        key: snapshot[key]
        for key in ("_frameref", "_monotonicTime", "startedDateTime", "time")
        if key in snapshot
    }
    kept |= {
        "cache": {},
        "timings": {"send": -1, "wait": -1, "receive": -1},
        "pageref": snapshot.get("pageref"),
    }
    kept["request"] = nothing | {
        "method": request.get("method"),
        "url": address,
        "queryString": [],
    }
    kept["response"] = nothing | {
        "status": response.get("status"),
        "statusText": "",
        "content": body,
        "redirectURL": urlsplit(masked_url(str(response.get("redirectURL", "")))).path,
    }
    return {"type": "resource-snapshot", "snapshot": kept}


def _masked_text(body: bytes, mask: Callable[[Any], Any]) -> bytes:
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return body
    masked: str = mask(text)
    return masked.encode()


def _jsonl(lines: list[Any]) -> str:
    return "".join(json.dumps(line) + "\n" for line in lines)
