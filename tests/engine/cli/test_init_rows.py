"""What `kamiyo-verify init` takes for rows of data: a list, or an object of objects; never settings."""

from __future__ import annotations

import pytest

from kamiyo_verify.cli.init.looking import look_at
from tests.engine.cli.test_init_looks import serving

SETTINGS = {"readonly": False, "batch_max_requests": 25}
KINTO = {
    "project_name": "kinto",
    "settings": SETTINGS,
    "capabilities": {"default_bucket": {"url": "https://a"}, "history": {"url": "https://b"}},
}


@pytest.mark.parametrize(
    ("home", "rows"),
    [
        ([{"id": 1}], ""),
        ({"notes": ["one"]}, "notes"),
        ({"limits": {"size": 1}, "notes": [{"id": 1}]}, "notes"),
        ({"result": {"root": {"username": "root"}}}, "result"),
        ({"users": {"ann": {"id": 1}, "bob": {"id": 2}}}, "users"),
        ([], None),
        ({"notes": []}, None),
        ({"notes": {}}, None),
        ({"a.b": [1]}, None),
        ({"limits": SETTINGS}, None),
        ({"mixed": {"ann": {"id": 1}, "count": 2}}, None),
        ({"nothing": {"ann": {}, "bob": {}}}, None),
        ({"settings": {"db": {"pool": 5}, "http": {"port": 80}}}, None),
        ({"checks": [{"db": "ok"}], "_links": {"self": {"href": "/"}}}, None),
        ({"info": {"root": {"username": "root"}}, "Features": ["a"]}, None),
        (KINTO, None),
    ],
)
def test_rows_are_a_list_or_an_object_of_objects(home: object, rows: str | None) -> None:
    with serving({"/": home}) as platform:
        assert look_at(platform.origin).rows == rows
