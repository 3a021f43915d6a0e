"""Read objectives from an OpenSLO file, in place of the runbook's table.

Objectives that cannot be measured here are refused, with what to write instead. Objects that do not define
objectives, such as alert policies, are listed as not used.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kamiyo_verify.config.draft import ConfigurationError, Draft, shown
from kamiyo_verify.config.openslo.documents import API_VERSION, Header, Sli, SloObject
from kamiyo_verify.config.openslo.reading import CannotBeMeasured, Known
from kamiyo_verify.config.openslo.rows import row_of
from kamiyo_verify.config.openslo.yaml_files import read_yaml
from kamiyo_verify.model.runbook import Slo

_NOT_USED = {
    "DataSource": "the suite measures by itself",
    "AlertCondition": "nobody is paged by the suite",
    "AlertNotificationTarget": "nobody is paged by the suite",
    "AlertPolicy": "nobody is paged by the suite",
}
_KINDS = ("SLO", "SLI", "Service", *_NOT_USED)


@dataclass(frozen=True, slots=True)
class SloFile:
    """The content of an OpenSLO file.

    Attributes:
        slos: the objectives, in the order of the file.
        not_used: other parts of the file, each with the reason why it has no effect.
    """

    slos: tuple[Slo, ...]
    not_used: tuple[str, ...]


def read_slos(path: Path, *, items: Collection[str], table: Iterable[Slo] = ()) -> SloFile:
    """Read the objectives of a file.

    Args:
        path: the path of the file.
        items: the ids of the runbook's items.
        table: the objectives to replace. One with the same id defines the measurement, if the file does not.

    Raises:
        ConfigurationError: a document has mistakes; the message lists all of the first such document.
    """
    drafts = read_yaml(path)
    headed = [(_header(draft), draft) for draft in drafts]
    slis = _slis(headed)
    known = Known(frozenset(items), {slo.id: slo for slo in table})
    slos: dict[str, Slo] = {}
    not_used: list[str] = []
    referred: set[str] = set()
    for header, draft in headed:
        name = f"{header.kind} {header.metadata.name}"
        if header.kind == "SLO":
            slo = _slo(draft, slis, known, referred)
            if slo.id in slos:
                raise ConfigurationError(
                    f'{draft.title}: "{slo.id}" is an SLO above already; each needs a name of its own'
                )
            slos[slo.id] = slo
            if draft.table["spec"].get("alertPolicies"):
                not_used.append(f"alertPolicies of {name}: {_NOT_USED['AlertPolicy']}")
        elif header.kind in _NOT_USED:
            not_used.append(f"{name}: {_NOT_USED[header.kind]}")
    not_used += [f"SLI {name}: no SLO refers to it" for name in slis if name not in referred]
    if not slos:
        raise ConfigurationError(f"{shown(path)}: holds no object of kind SLO")
    return SloFile(tuple(slos.values()), tuple(not_used))


def _header(draft: Draft) -> Header:
    version = draft.table.get("apiVersion")
    if isinstance(version, str) and version != API_VERSION:
        draft.refuse(
            ("apiVersion",), f'must be "{API_VERSION}", not {version[:40]!r}: no other version is read'
        )
    kind = draft.table.get("kind")
    if isinstance(kind, str) and kind not in _KINDS:
        near = next((f'; did you mean "{known}"?' for known in _KINDS if known.lower() == kind.lower()), "")
        draft.refuse(("kind",), f"must be one of {', '.join(_KINDS)}{near}")
    return draft.validated(Header)


def _slis(headed: Sequence[tuple[Header, Draft]]) -> dict[str, Sli]:
    found: dict[str, Sli] = {}
    for header, draft in headed:
        if header.kind == "SLI":
            sli = draft.validated(Sli)
            if sli.metadata.name in found:
                raise ConfigurationError(f'{draft.title}: "{sli.metadata.name}" is an SLI above already')
            found[sli.metadata.name] = sli
    return found


def _slo(draft: Draft, slis: Mapping[str, Sli], known: Known, referred: set[str]) -> Slo:
    source = draft.validated(SloObject)
    spec = source.spec
    if spec.indicatorRef:
        referred.add(spec.indicatorRef)
    try:
        return row_of(source, slis, known)
    except CannotBeMeasured as why:
        raise draft.refusal(why.loc, str(why)) from None
