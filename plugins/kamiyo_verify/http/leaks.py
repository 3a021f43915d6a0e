"""Find internals of the platform in an error body: SQL statements, stack traces, files, hosts."""

from __future__ import annotations

import re

from kamiyo_verify.http.answer import Answer

# Every repetition is bounded, as the body is untrusted. "Please select one from the list" must not match.
_INTERNALS = re.compile(
    r"""
      Traceback\ \(most\ recent\ call\ last
    | File\ "[^"\n]{1,200}\.py",\ line\ \d
    | \bat\ [^\n<>]{0,120}\(?[\w./@-]{0,200}\.(?:py|js|cjs|mjs|ts|tsx|java|rb|go):\d
    | \bat\ [\w$.]{1,120}\([\w$]{1,80}\.java:\d
    | goroutine\ \d+\ \[running\]
    | (?i:psycopg\d?\b|sqlalchemy\b|asyncpg\b|SQLSTATE)
    | Prisma(?:Client)?(?:KnownRequest|Validation|Initialization)\w{0,40}
    | \b(?:SELECT\b[^\n<>]{1,300}?\bFROM|INSERT\ INTO|DELETE\ FROM|UPDATE\b[^\n<>]{1,120}?\bSET)\b
    | (?i:\bselect\b[^\n<>]{1,300}?\bfrom\b[^\n<>]{1,80}?\b(?:where|join|limit|order\ by|group\ by)\b)
    | (?i:\b(?:relation|column)\ \\?"[^"\n]{1,80}"\ (?:of\ relation\ \\?"[^"\n]{1,80}"\ )?does\ not\ exist)
    | (?i:\binvalid\ input\ syntax\ for\ (?:type\ )?\w)
    | (?i:\bviolates\ (?:unique|not-null|check|foreign\ key|exclusion)\ constraint\b)
    | (?i:\bsyntax\ error\ at\ or\ near\ \\?")
    | (?i:\bpermission\ denied\ for\ (?:table|relation|schema|sequence|database|function)\ \w)
    | \[Errno\ -?\d{1,5}\]
    | \bobject\ at\ 0x[0-9a-f]{6,16}\b
    | \b(?:HTTPS?ConnectionPool|NewConnectionError|MaxRetryError)\(
    | (?i:\b[a-z0-9-]{1,60}(?:\.[a-z0-9-]{1,60}){0,5}\.(?:internal|svc|cluster\.local|flycast):\d{2,5}\b)
    | (?i:\b(?:postgres(?:ql)?|mysql|redis|rediss|mongodb)://)
    | \bdpg-[a-z0-9]{10,40}-a\b
    | \b(?:localhost|127\.0\.0\.1):(?:5432|6379|3306|27017)\b
    | \b(?:10\.\d{1,3}|192\.168|172\.(?:1[6-9]|2\d|3[01]))\.\d{1,3}\.\d{1,3}:\d{2,5}\b
    | /(?:app|srv|home|opt/render|usr/(?:lib|local|src)|var/task)/
      [\w./@-]{1,160}\.(?:py|js|cjs|mjs|ts|tsx|rb|go)\b
    | \bnode_modules/[\w@./-]{1,120}\.(?:js|cjs|mjs)\b
    """,
    re.VERBOSE,
)


def leak_in(answer: Answer) -> str:
    """The first internal detail in the body, escaped, at most 80 characters; "" if there is none."""
    return answer.search(_INTERNALS)
