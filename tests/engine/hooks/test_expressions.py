"""An expression of -m or -k is refused before anything starts exactly where pytest would refuse it later."""

from __future__ import annotations

import pytest

from kamiyo_verify.hooks.collecting.expressions import problem_of

pytest_plugins = ["pytester"]

GOOD = (
    "",
    "a",
    "not a",
    "not not a",
    "a and b or not (c and d)",
    "((a))",
    "test_x[a-b]",
    "a.b::c",
    "a/b",
    "1",
    "None",
    "+a",
    "über",
    "nota and notb",
    "a or(b)",
)
BAD = {
    "and and": 'has "and" where a name is expected',
    "and": 'has "and" where a name is expected',
    "not": "has its end where a name is expected",
    "a and": "has its end where a name is expected",
    "a or or b": 'has "or" where a name is expected',
    "a b": 'has "b" where and, or is expected',
    "(": "has its end where a name is expected",
    "()": 'has ")" where a name is expected',
    "(a": 'has its end where and, or, or ")" is expected',
    "a)": 'has ")" where and, or is expected',
    "a == 1": 'has "=" where and, or is expected',
    "a,": 'has "," where and, or is expected',
    "a | b": 'has "|", which belongs to no expression',
    "a & b": 'has "&", which belongs to no expression',
    "lambda: 1": 'has "1" where and, or is expected',
    "a if b else c": 'has "if" where and, or is expected',
    "'a": 'has "\'", which belongs to no expression',
    "'a'": "has \"'a'\" where a name is expected",
}
OF_MARKS = {
    "item(id='x')": "",
    "item(id='x', n=-1) and other(on=True)": "",
    "item()": 'has ")" where the name of an argument is expected',
    "item(1)": 'has "1" where the name of an argument is expected',
    "item(a=b)": 'has "b" where a value is expected',
    "item(a=1": 'has its end where "," or ")" is expected',
}


@pytest.mark.parametrize("expression", GOOD)
@pytest.mark.parametrize("of_marks", [False, True])
def test_a_complete_expression_has_no_problem(expression: str, *, of_marks: bool) -> None:
    assert problem_of(expression, of_marks=of_marks) == ""


@pytest.mark.parametrize("expression", BAD)
@pytest.mark.parametrize("of_marks", [False, True])
def test_the_first_mistake_is_named(expression: str, *, of_marks: bool) -> None:
    assert problem_of(expression, of_marks=of_marks) == BAD[expression]


@pytest.mark.parametrize("expression", OF_MARKS)
def test_names_of_marks_may_have_arguments_and_others_not(expression: str) -> None:
    assert problem_of(expression, of_marks=True) == OF_MARKS[expression]
    assert problem_of(expression, of_marks=False) != ""


@pytest.mark.parametrize("option", ["-k", "-m"])
def test_pytest_refuses_the_same(option: str, pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_a(): ...")
    words = [*GOOD, *BAD, *(OF_MARKS if option == "-m" else ())]
    for expression in words:
        ran = pytester.inline_run(option, expression, "-p", "no:cacheprovider")
        refused = ran.ret == pytest.ExitCode.USAGE_ERROR
        assert refused is bool(problem_of(expression, of_marks=option == "-m")), expression
