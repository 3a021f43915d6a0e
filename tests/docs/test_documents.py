"""The reader of pages reads them as people do, and does not believe a page that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.test_docs import followed, unknown
from tests.support.clone import Clone
from tests.support.documents import Command, Page

PAGE = """
# It `works`, twice

## It works twice

## It works twice

<!-- run: first: touch here -->
```sh
ls here
cat <<END   # exit 3: as told
make clean
END
ls \\
  there
```

```
make plan
```

```
A verdict, not a command.
```

- in a list:

  <!-- run: no, because it asks a person -->
  ```bash
  git push
  ```

```console
$ false     # exit 1: no
what it says
```

<!-- run: exit=4 -->
```sh
pytest --nonsense
```

<!-- run: append notes.txt -->
```toml
x = 1
```
"""


def test_commands_are_read_with_what_the_page_tells_of_them() -> None:
    commands = [*Page("page.md", PAGE).commands()]
    assert [(command.text.split("\n")[0], command.exit) for command in commands] == [
        ("ls here", 0),
        ("cat <<END   # exit 3: as told", 3),
        ("ls \\", 0),
        ("make plan", 0),
        ("git push", 0),
        ("false     # exit 1: no", 1),
        ("pytest --nonsense", 4),
        ("cat >> notes.txt <<'END_OF_BLOCK'", 0),
    ]
    assert [command.first for command in commands if command.first] == ["touch here"]
    assert [command.why_not for command in commands if command.why_not] == ["it asks a person"]
    assert commands[1].text.endswith("\nmake clean\nEND")
    assert commands[0].where == "page.md:10: ls here"


def test_anchors_are_githubs() -> None:
    assert Page("page.md", PAGE).anchors() == {"it-works-twice", "it-works-twice-1", "it-works-twice-2"}


def test_an_aside_that_nobody_can_read_is_refused() -> None:
    with pytest.raises(AssertionError, match="cannot read: run: maybe"):
        [*Page("page.md", "<!-- run: maybe -->\n```sh\nls\n```\n").commands()]


def test_a_page_that_tells_another_exit_code_is_found_out(tmp_path: Path) -> None:
    clone = Clone(tmp_path)
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "activate").touch()
    told = [Command("page.md", text, line, exit=0) for line, text in enumerate(("true", "false", "true"))]
    with pytest.raises(AssertionError, match=r"page.md:1: false\s+exit 1, not 0"):
        followed(clone, told)
    assert [ran.code for ran in clone.follow(told)] == [0, 1, None]


@pytest.mark.parametrize(
    "name",
    [
        *("make nonsense", "--nonsense", "--nonsense=1", "NONSENSE_KEY", "postdeploy.nonsense", "[nonsense]"),
        *("[render] nonsense", "nonsense/nonsense.py", "nonsense.toml", "python -m plugins.nonsense"),
    ],
)
def test_a_name_that_does_not_exist_is_found_out(name: str) -> None:
    assert unknown(name)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "make demo",
            "make demo ENV=prod",
            "--plan",
            "--runbook",
            "RENDER_API_KEY",
            "postdeploy.api-health",
        ),
        *(
            "[render]",
            "[render] key",
            "plugins/kamiyo_verify/hooks/collecting/plan.py",
            "plan.py",
            "checks/postdeploy/",
            "verdict.json",
        ),
        *("python -m sandbox --help", "exit 20", "reports/<env>/", "any other words", "/health"),
    ],
)
def test_a_name_that_exists_is_let_be(name: str) -> None:
    assert not unknown(name), unknown(name)
