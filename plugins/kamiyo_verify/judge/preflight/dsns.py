"""Check that errors will reach Sentry: compare each configured DSN with the projects' keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from kamiyo_verify.model.outside.errors import ClientKey, parse_dsn


def dsn_problems(texts: Mapping[str, str], keys: Sequence[ClientKey]) -> tuple[str, ...]:
    """Return the problems, by where each DSN is configured; the DSN itself is never quoted.

    Args:
        texts: each DSN by where it is configured.
        keys: keys of all our projects, including inactive ones.
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
