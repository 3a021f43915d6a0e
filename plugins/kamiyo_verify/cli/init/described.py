"""Read an OpenAPI description, to choose requests that are safe to send: OpenAPI 3 and Swagger 2, as JSON."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from kamiyo_verify.http.answer import Answer
from kamiyo_verify.http.client import HttpClient
from kamiyo_verify.model.outcomes import WrongAnswer

PLACES = ("/openapi.json", "/swagger.json", "/api/openapi.json")

_MOST, _MOST_ASKED, _MOST_KEYS = 2, 8, 4
_ACTS = re.compile(
    r"log-?(in|out)|sign-?(in|out|up)|auth|token|callback|delete|remove|reset|export|download|stream|events"
    r"|subscri|confirm|health|version|metrics|openapi|swagger",
    re.IGNORECASE,
)
_PLAIN = re.compile(r"/[\w./~-]*")


@dataclass(frozen=True, slots=True)
class Readable:
    """A path that answers GET with JSON to anybody.

    Attributes:
        path: the path.
        keys: the keys that the description requires of its object; none where it is a list.
        listed: it answers with a list.
    """

    path: str
    keys: tuple[str, ...]
    listed: bool


@dataclass(frozen=True, slots=True)
class Description:
    """A service's OpenAPI description: where it was found, and the paths that were asked and answer."""

    place: str
    readable: tuple[Readable, ...]


def description_of(http: HttpClient) -> Description | None:
    """Return the description that the service publishes, with the paths that a check may ask.

    A path is asked if the description gives it a GET without parameters, without credentials and with a JSON
    answer, and if no word in it speaks of an action. At most eight are asked; those that answer 200 count.
    """
    for place in PLACES:
        answer = http.get(place)
        document = _json(answer) if answer.status == 200 else None
        if isinstance(document, dict) and isinstance(document.get("paths"), dict):
            return Description(place, tuple(_readable(http, document)))
    return None


def _readable(http: HttpClient, document: Mapping[str, object]) -> Iterator[Readable]:
    base = _base(document, http.origin)
    found = 0
    for path, schema in [*_candidates(document, base)][:_MOST_ASKED] if base is not None else ():
        answer = http.get(path)
        data = _json(answer) if answer.status == 200 else None
        if found < _MOST and isinstance(data, dict | list):
            found += 1
            required = _strings(schema.get("required")) if isinstance(data, dict) else []
            keys = [key for key in required if key in data]
            yield Readable(path, tuple(keys[:_MOST_KEYS]), isinstance(data, list))


def _base(document: Mapping[str, object], origin: str) -> str | None:
    """Return what each path begins with; None if the description is of another origin."""
    servers = document.get("servers")
    first = servers[0] if isinstance(servers, list) and servers else {}
    url = first.get("url") if isinstance(first, dict) else None
    base = url if isinstance(url, str) else document.get("basePath")
    if not isinstance(base, str):
        return ""
    parts = urlsplit(base)
    if parts.netloc and f"{parts.scheme}://{parts.netloc}" != origin:
        return None
    return parts.path.rstrip("/") if "{" not in base else None


def _candidates(document: Mapping[str, object], base: str) -> Iterator[tuple[str, Mapping[str, object]]]:
    """Yield each path that may be asked, with the schema of its answer."""
    for path, item in _table(document, "paths").items():
        operation = _table(item, "get")
        whole = f"{base}{path}"
        if not operation or not _PLAIN.fullmatch(whole) or whole == "/" or _ACTS.search(path):
            continue
        parameters = [*_list(item, "parameters"), *_list(operation, "parameters")]
        needed = any(_resolved(document, one).get("required") for one in parameters)
        guarded = operation.get("security", document.get("security"))
        if needed or operation.get("deprecated") or (guarded and {} not in _list({"s": guarded}, "s")):
            continue
        schema = _schema(document, operation)
        if schema is not None:
            yield whole, schema


def _schema(document: Mapping[str, object], operation: Mapping[str, object]) -> Mapping[str, object] | None:
    """Return the schema of the JSON answer with status 200; None if it is not described as JSON."""
    answer = _resolved(document, _table(operation, "responses").get("200"))
    if "schema" in answer:
        return _resolved(document, answer["schema"])
    described = _table(answer, "content").get("application/json")
    return _resolved(document, described.get("schema")) if isinstance(described, dict) else None


def _resolved(document: Mapping[str, object], value: object) -> Mapping[str, object]:
    """Return the object, or the one that it refers to within the document; {} if it is neither."""
    reference = value.get("$ref") if isinstance(value, dict) else None
    if isinstance(reference, str) and reference.startswith("#/"):
        value = document
        for key in reference.removeprefix("#/").split("/"):
            value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def _table(value: object, key: str) -> dict[str, object]:
    found = value.get(key) if isinstance(value, Mapping) else None
    return found if isinstance(found, dict) else {}


def _list(value: object, key: str) -> list[object]:
    found = value.get(key) if isinstance(value, Mapping) else None
    return found if isinstance(found, list) else []


def _strings(value: object) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _json(answer: Answer) -> object:
    try:
        return answer.json()
    except WrongAnswer:
        return None
