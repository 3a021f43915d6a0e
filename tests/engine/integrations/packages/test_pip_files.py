"""pip's requirements files in every spelling that pip itself takes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kamiyo_verify.integrations.packages.dependencies import requirements_in, strange_addresses
from kamiyo_verify.integrations.packages.files import NotRead
from kamiyo_verify.integrations.packages.pip_files import Requirements
from kamiyo_verify.model.outcomes import NoAnswer, WrongAnswer

Read = Callable[..., Requirements]
HASH = "--hash=sha256:" + "0a" * 32


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def reading(text: str | bytes, **more: str) -> Requirements:
        content = text.encode() if isinstance(text, str) else text
        (tmp_path / "requirements.txt").write_bytes(content)
        for name, included in more.items():
            (tmp_path / f"{name}.txt").write_text(included)
        return requirements_in(tmp_path / "requirements.txt")

    return reading


@pytest.mark.parametrize(
    "text",
    [
        f"idna==3.20 \\\n    {HASH} \\\n    {HASH}\n    # via -r requirements.in\n",
        f"idna==3.20 \\\r\n    {HASH} \\\r\n    {HASH}\r\n    # via -r requirements.in\r\n",
        f"\ufeffidna==3.20 {HASH}\n",
        f"idna==3.20 {HASH.replace('=', ' ', 1)}\n",
        "idna == 3.20\n",
        "IDNA==3.20 # a comment\n",
        "# a comment\n\n   idna==3.20   \n",
        "idna[all,more]==3.20\n",
        "idna===3.20\n",
        "idna (==3.20)\n",
        "idna==3.20 ; python_version >= '3.8' and sys_platform != 'win32'\n",
        "idna==3.20;python_version>='3.8'\n",
        "idna==\\\n3.20\n",
        "idna==3.20,!=3.19\n",
        'idna==3.20 --global-option="--x"\n',
        'idna==3.20 --config-settings="--build-option=--x"\n',
        "idna==3.20 --config-settings a=b\n",
        "--pre\n--no-binary=:all:\n--only-binary :none:\n--prefer-binary\n--require-hashes\nidna==3.20 "
        + HASH,
        "-c constraints.txt\nidna\n",
        "--constraint=constraints.txt\nidna>=3\n",
        "-rmore.txt\n",
        "-r more.txt\n",
        "--requirement more.txt\n",
        "--requirement=more.txt\n",
    ],
)
def test_a_requirement_is_pinned_in_every_spelling_of_pip(read: Read, text: str) -> None:
    found = read(text, constraints="idna==3.20\nnobody-wants-me==1\n", more="idna==3.20\n")
    assert found.pinned == {"idna": "3.20"}
    assert found.loose == ()
    assert found.addresses == ()


@pytest.mark.parametrize(
    "text",
    [
        "idna",
        "idna>=3",
        "idna~=3.20",
        "idna==3.*",
        "idna @ https://pypi.org/idna.whl",
        "-e git+https://pypi.org/a/b.git@main#egg=b",
    ],
)
def test_what_names_no_one_version_is_loose(read: Read, text: str) -> None:
    assert read(text).loose == (text,)


@pytest.mark.parametrize(
    "text",
    [
        f"idna @ https://pypi.org/idna.whl {HASH}",
        "idna @ https://pypi.org/idna.whl#sha256=" + "0a" * 32,
        "idna @ git+https://pypi.org/a/b.git@" + "0a" * 20,
    ],
)
def test_an_address_with_a_hash_or_a_commit_is_one_version(read: Read, text: str) -> None:
    found = read(text)
    assert found.loose == ()
    assert [*found.pinned] == ["idna"]


@pytest.mark.parametrize(
    "text", [".", "-e .", "./part", "-e ./part[extra]", "-e file:part", "./wheels/a-1-py3-none-any.whl"]
)
def test_a_path_in_the_checkout_is_neither_loose_nor_strange(read: Read, text: str) -> None:
    found = read(f"{text}\nidna==3.20\n")
    assert found.loose == ()
    assert found.addresses == ()


ELSEWHERE = [
    "--index-url https://evil.example/simple",
    "--index-url=https://evil.example/simple",
    "-i https://evil.example/simple",
    "-ihttps://evil.example/simple",
    "--pypi-url https://evil.example/simple",
    "--extra-index-url https://user:${TOKEN}@evil.example/simple",
    "--extra-index-url=https://evil.example/simple # a comment",
    "--extra-index-url \\\n  https://evil.example/simple",
    "--find-links https://evil.example/wheels",
    "--find-links=https://evil.example/wheels",
    "-f https://evil.example/wheels",
    "a @ https://evil.example/a.whl ; python_version > '3'",
    "https://evil.example/a-1.0-py3-none-any.whl",
    "https://evil.example/a.tar.gz#egg=a",
    "git+https://evil.example/a/b.git@v1#egg=b",
    "-e git+https://evil.example/a/b.git#egg=b&subdirectory=x",
    "--editable=git+https://evil.example/a/b.git#egg=b",
]


@pytest.mark.parametrize("text", ELSEWHERE)
@pytest.mark.parametrize("place", ["here", "included"])
def test_an_address_is_seen_in_every_spelling(read: Read, text: str, place: str) -> None:
    here = f"{text}\nidna==3.20\r\n" if place == "here" else "-r more.txt\nidna==3.20\n"
    found = read(here, more=text)
    assert strange_addresses(found.addresses, ["https://pypi.org"]) == ("https://evil.example",)
    assert found.pinned["idna"] == "3.20"


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("--trusted-host pypi.org", "http://pypi.org"),
        ("--trusted-host=evil.example:8080", "http://evil.example"),
        ("--index-url http://pypi.org/simple", "http://pypi.org"),
        ("git+ssh://git@evil.example/a/b.git#egg=b", "git+ssh://evil.example"),
        ("--find-links file:///mnt/wheels", "file://"),
        ("file:///mnt/a-1.0-py3-none-any.whl", "file://"),
        ("../elsewhere/part", "file://"),
    ],
)
def test_what_is_not_verified_or_not_of_the_checkout_is_strange(read: Read, text: str, address: str) -> None:
    assert strange_addresses(read(f"{text}\nidna==3.20").addresses, ["https://pypi.org"]) == (address,)


def test_includes_that_go_round_are_read_once(read: Read) -> None:
    found = read(
        "-r a.txt\nidna==3.20\n", a="-r b.txt\nsix==1\n", b="-r requirements.txt\n-r a.txt\nattrs==2\n"
    )
    assert found.pinned == {"idna": "3.20", "six": "1", "attrs": "2"}


def test_an_include_that_is_not_there_is_no_answer(read: Read) -> None:
    with pytest.raises(NoAnswer, match=r"absent\.txt cannot be read"):
        read("-r absent.txt\n")


def test_an_include_from_an_address_is_not_read(read: Read) -> None:
    with pytest.raises(NotRead, match=r"https://evil\.example"):
        read("-r https://evil.example/requirements.txt\n")


def test_a_host_that_is_a_variable_is_not_read(read: Read) -> None:
    with pytest.raises(NotRead, match="a variable"):
        read("--index-url https://${INDEX_HOST}/simple\nidna==3.20\n")


@pytest.mark.parametrize("text", ["--brand-new-option=1\nidna==3.20\n", "idna==3.20 --brand-new=1\n"])
def test_an_option_that_is_not_known_is_not_read(read: Read, text: str) -> None:
    with pytest.raises(NotRead, match=r"not read: requirements\.txt: the line"):
        read(text)


@pytest.mark.parametrize("text", ["<html>\n", "idna==\n", "a b c\n", "===\n", "idna==3.20 six==1\n"])
def test_a_line_that_is_no_requirement_is_a_wrong_answer(read: Read, text: str) -> None:
    with pytest.raises(WrongAnswer, match="no requirement"):
        read(text)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_comment_after_a_continuation_ends_the_requirement(read: Read, end: str) -> None:
    """As pip-compile wrote them before version 5."""
    lines = [
        "numpy==1.18.1 \\",
        f"    {HASH} \\",
        f"    {HASH} \\",
        "    # via scipy",
        "scipy==1.4.1 \\",
        f"    {HASH}",
    ]
    assert read(end.join(lines)).pinned == {"numpy": "1.18.1", "scipy": "1.4.1"}


def test_a_hash_without_its_continuation_is_ignored_as_pip_ignores_it(read: Read) -> None:
    assert read(f"lxml==4.9.2\n  {HASH}\n").pinned == {"lxml": "4.9.2"}


def test_versions_that_markers_tell_apart_are_all_held_against_the_lock(read: Read, tmp_path: Path) -> None:
    wanted = read("a==1 ; python_version<'3.12'\na==2.0 ; python_version>='3.12'\n")
    assert wanted.pinned == {"a": "1 or 2.0"}
    (tmp_path / "lock").write_text("a==2\n")
    assert wanted.out_of_step(requirements_in(tmp_path / "lock")) == ("a 1, 2.0 (locked: 2)",)
    (tmp_path / "lock").write_text("a==2 ; python_version>='3.12'\na==1.0.0 ; python_version<'3.12'\n")
    assert wanted.out_of_step(requirements_in(tmp_path / "lock")) == ()


@pytest.mark.parametrize("content", ["idna==3.20\n".encode("utf-16"), b"\xef\xbb\xbfidna==3.20\r\n"])
def test_a_file_with_a_byte_order_mark_is_read_by_it(read: Read, content: bytes) -> None:
    assert read(content).pinned == {"idna": "3.20"}


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"idna==3.20\n\x00\x00", b"\x80\x81"])
def test_what_is_no_text_is_never_passed(read: Read, content: bytes) -> None:
    with pytest.raises((NoAnswer, WrongAnswer)):
        read(content)


def test_a_large_lock_is_read_in_seconds(read: Read) -> None:
    found = read("".join(f"package-{number}=={number}.0 \\\n    {HASH}\n" for number in range(3_000)))
    assert len(found.pinned) == 3_000
