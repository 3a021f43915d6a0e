"""Holds requests and answers against an OpenAPI 3.0 description.

A description is read as it is published, with three things put right: `nullable` is said in JSON Schema's
words, `oneOf` counts as `anyOf` (official descriptions list alternatives that overlap, such as any object),
and the deviations that a `Leniency` names are allowed. Everything else is held to the letter.
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import jsonschema
import pytest
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

SPECS = Path(os.environ.get("KAMIYO_SPECS") or Path(__file__).parents[3] / "shared" / "specs")
"""Where the official descriptions lie; they are no part of the project."""

_NAME = "urn:description"
_PLACE = re.compile(r"\{[^}]+\}")


def described(name: str) -> Any:
    """The description of that file name.

    It is skipped, saying so, where it is absent, and failed where CI_REQUIRES_SPECS=1.
    """
    path = SPECS / name
    if path.is_file():
        return json.loads(path.read_text(encoding="utf-8"))
    reason = f"no {name} in {SPECS}: set KAMIYO_SPECS to the folder of official descriptions"
    if os.environ.get("CI_REQUIRES_SPECS") == "1":
        pytest.fail(reason)
    return pytest.skip(reason)


@dataclass(frozen=True, slots=True)
class Leniency:
    """Where real answers are known to differ from their description.

    Attributes:
        nullable: properties that may be null although the description does not say so.
        optional: properties that may be missing although the description requires them.
    """

    nullable: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Seen:
    """One request and its answer, as they went over the wire.

    Attributes:
        target: path and query, as sent, without the base of the description.
    """

    method: str
    target: str
    status: int
    request_headers: Mapping[str, str] = field(default_factory=dict)
    request_body: bytes = b""
    answer_headers: Mapping[str, str] = field(default_factory=dict)
    answer_body: bytes = b""


class Contract:
    """One official description, and the count of what was held against it.

    Args:
        description: the whole OpenAPI document.
        leniency: the deviations allowed.
    """

    def __init__(self, description: Mapping[str, Any], leniency: Leniency | None = None) -> None:
        self._description = description
        self._leniency = leniency or Leniency()
        readied = self._readied(description)
        self._registry: Registry[Any] = Registry().with_resource(
            _NAME, Resource.from_contents(readied, default_specification=DRAFT202012)
        )
        self.operations: Counter[str] = Counter()

    @property
    def answers(self) -> int:
        """How many answers were held against the description."""
        return self.operations.total()

    def problems(self, seen: Seen) -> list[str]:
        """What of a request and its answer the description does not allow; counts the answer."""
        path = urlsplit(seen.target).path
        found = self._operation(seen.method, path)
        if found is None:
            return [f"{seen.method} {path}: no such operation"]
        pointer, template = found
        self.operations[f"{seen.method} {template}"] += 1
        operation = self._at(pointer)
        complaints = [
            *self._request_problems(pointer, template, seen),
            *self._answer_problems(pointer, operation, seen),
        ]
        return [f"{seen.method} {seen.target} → {seen.status}: {complaint}" for complaint in complaints]

    def check(self, seen: Seen) -> None:
        """Fail the test where there are problems."""
        problems = self.problems(seen)
        assert not problems, "\n".join(problems)

    def value_problems(self, pointer: str, value: object) -> list[str]:
        """What of a value the schema at that JSON pointer ("#/components/…") does not allow."""
        validator = jsonschema.Draft202012Validator(
            {"$ref": f"{_NAME}{pointer}"}, registry=self._registry, format_checker=_FORMATS
        )
        return [f"{error.json_path}: {error.message[:300]}" for error in validator.iter_errors(value)]

    def _operation(self, method: str, path: str) -> tuple[str, str] | None:
        """Pointer and template of the operation; a literal segment wins over a placeholder."""
        for template in sorted(self._description["paths"], key=lambda template: template.count("{")):
            pattern = "[^/]+".join(re.escape(part) for part in _PLACE.split(template))
            if re.fullmatch(pattern, path) and method.lower() in self._description["paths"][template]:
                escaped = template.replace("~", "~0").replace("/", "~1")
                return f"#/paths/{escaped}/{method.lower()}", template
        return None

    def _request_problems(self, pointer: str, template: str, seen: Seen) -> Iterator[str]:
        parts = urlsplit(seen.target)
        sent: dict[str, list[str]] = {}
        for key, value in parse_qsl(parts.query, keep_blank_values=True):
            sent.setdefault(key, []).append(value)
        known: set[str] = set()
        for place, parameter in self._parameters(pointer):
            name, kind = parameter["name"], parameter["in"]
            if kind == "query":
                known |= {name, f"{name}[]"}
                given = sent.get(name, sent.get(f"{name}[]", []))
                yield from self._parameter_problems(place, parameter, given)
            elif kind == "path":
                given = [unquote(_segment(template, parts.path, name))]
                yield from self._parameter_problems(place, parameter, given)
        yield from (f"query parameter {name!r} is not known" for name in sent.keys() - known)
        yield from self._body_problems(pointer, seen)

    def _parameter_problems(
        self, place: str, parameter: Mapping[str, Any], given: list[str]
    ) -> Iterator[str]:
        name, schema = parameter["name"], self._resolved(parameter.get("schema", {}))
        if not given:
            if parameter.get("required"):
                yield f"{parameter['in']} parameter {name!r} is missing"
        elif schema.get("type") == "array":
            # style=form, explode=false: said once, with commas between the values.
            together = parameter.get("explode") is False
            texts = [text for one in given for text in (one.split(",") if together else [one])]
            items = self._resolved(schema.get("items", {}))
            values = [_typed(text, items) for text in texts]
            yield from self._schema_problems(name, f"{place}/schema", values)
        else:  # said several times where "multiple query params are ORed together"
            for text in given:
                yield from self._schema_problems(name, f"{place}/schema", _typed(text, schema))

    def _schema_problems(self, what: str, place: str, value: object) -> Iterator[str]:
        yield from (f"{what} {problem}" for problem in self.value_problems(place, value))

    def _body_problems(self, pointer: str, seen: Seen) -> Iterator[str]:
        described_body = self._resolved(self._at(pointer).get("requestBody", {}))
        if not seen.request_body:
            if described_body.get("required"):
                yield "the request body is missing"
            return
        if not described_body:
            yield "a request body is sent where none is described"
            return
        media = seen.request_headers.get("content-type", "").partition(";")[0]
        if media not in described_body["content"]:
            yield f"the request body is {media or 'of no type'}, not {', '.join(described_body['content'])}"
            return
        if media == "application/json":
            place = f"{self._place(pointer, 'requestBody')}/content/application~1json/schema"
            yield from self._json_problems("request body", place, seen.request_body)

    def _answer_problems(self, pointer: str, operation: Mapping[str, Any], seen: Seen) -> Iterator[str]:
        responses = operation["responses"]
        codes = (str(seen.status), f"{seen.status // 100}XX", "default")
        status = next((code for code in codes if code in responses), None)
        if status is None:
            yield f"status {seen.status} is not described, only {', '.join(responses)}"
            return
        place = self._place(f"{pointer}/responses", status)
        content = self._at(place).get("content", {})
        if "application/json" not in content:
            return
        media = seen.answer_headers.get("content-type", "").partition(";")[0]
        if media != "application/json":
            yield f"the answer is {media or 'of no type'}, not application/json"
            return
        if "schema" in content["application/json"]:
            schema = f"{place}/content/application~1json/schema"
            yield from self._json_problems("answer", schema, seen.answer_body)

    def _json_problems(self, what: str, place: str, body: bytes) -> Iterator[str]:
        try:
            value = json.loads(body)
        except ValueError:
            yield f"the {what} is no JSON"
            return
        yield from self._schema_problems(what, place, value)

    def _parameters(self, pointer: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Each parameter with where it is described, those of the whole path too."""
        above = pointer.rpartition("/")[0]
        for owner in (above, pointer):
            for index in range(len(self._at(owner).get("parameters", []))):
                place = self._place(f"{owner}/parameters", str(index))
                yield place, self._at(place)

    def _place(self, owner: str, key: str) -> str:
        """The pointer to a member of an object or list, through a reference where it is one."""
        value = self._at(owner)
        member = value[int(key)] if isinstance(value, list) else value[key]
        return str(member["$ref"]) if "$ref" in member else f"{owner}/{key}"

    def _resolved(self, value: Mapping[str, Any]) -> Mapping[str, Any]:
        while "$ref" in value:
            value = self._at(value["$ref"])
        return value

    def _at(self, pointer: str) -> Any:
        return self._registry.resolver(_NAME).lookup(pointer).contents

    def _readied(self, value: Any) -> Any:
        """The description in the words of today's JSON Schema, with the leniency worked in."""
        if isinstance(value, list):
            return [self._readied(each) for each in value]
        if not isinstance(value, dict):
            return value
        readied = {("anyOf" if key == "oneOf" else key): self._readied(each) for key, each in value.items()}
        if isinstance(readied.get("$ref"), str):
            readied["$ref"] = readied["$ref"].replace("/oneOf/", "/anyOf/")
        properties = readied.get("properties")
        if isinstance(properties, dict):
            for name in self._leniency.nullable & properties.keys():
                properties[name] = _or_null(properties[name])
        required = readied.get("required")
        if isinstance(required, list):
            readied["required"] = [name for name in required if name not in self._leniency.optional]
        return _or_null(readied) if readied.get("nullable") is True else readied


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema, or null. What other parts of a description refer to keeps its place."""
    kind = schema.get("type")
    if not isinstance(kind, str) or schema.keys() & {"$ref", "anyOf", "allOf"}:
        return {"anyOf": [schema, {"type": "null"}]}
    choices = {"enum": [*schema["enum"], None]} if "enum" in schema else {}
    return {**schema, "type": [kind, "null"], **choices}


def _segment(template: str, path: str, name: str) -> str:
    """What stands in the path where the template has that placeholder."""
    pattern = "".join(
        "(?P<found>[^/]+)" if part == f"{{{name}}}" else "[^/]+" if part.startswith("{") else re.escape(part)
        for part in re.split(r"(\{[^}]+\})", template)
    )
    match = re.fullmatch(pattern, path)
    return match["found"] if match and "found" in match.groupdict() else ""


def _typed(text: str, schema: Mapping[str, Any]) -> object:
    """A parameter's text as the type that its schema asks for; as it is where it is none."""
    try:
        match schema.get("type"):
            case "integer":
                return int(text)
            case "number":
                return float(text)
            case "boolean" if text in {"true", "false"}:
                return text == "true"
    except ValueError:
        pass
    return text


_FORMATS = jsonschema.FormatChecker(formats=())


@_FORMATS.checks("date-time", raises=ValueError)
def _is_moment(value: object) -> bool:
    """RFC 3339: with a zone; fractions of a second of any length."""
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None
