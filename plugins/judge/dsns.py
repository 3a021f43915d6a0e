"""Whether errors will reach Sentry: each configured DSN held against the projects' own keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from plugins.model.errors import ClientKey, parse_dsn


def dsn_problems(texts: Mapping[str, str], keys: Sequence[ClientKey]) -> tuple[str, ...]:
    """What is wrong, told by where a DSN is configured; none of it is quoted.

    Args:
        texts: each DSN by where it is configured.
        keys: those of all our projects, the inactive ones too.
    """
    return tuple(_problems(texts, keys))


def _problems(texts: Mapping[str, str], keys: Sequence[ClientKey]) -> Iterator[str]:
    for place, text in texts.items():
        try:
            dsn = parse_dsn(text)
        except ValueError as why:
            yield f"{place}: {why}"
            continue
        ours = [key for key in keys if key.is_of(dsn)]
        if not ours:
            yield f"{place}: the DSN is none of our projects'"
        elif not any(key.active for key in ours):
            yield f"{place}: its key is switched off at Sentry"
