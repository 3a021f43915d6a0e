"""The table [prometheus] of an environment file: where the metrics of a verdict go."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from kamiyo_verify.model.tables import BaseAddress, Credential, Table


def _absolute(folder: str) -> str:
    if not folder.startswith("/"):
        raise ValueError("must be an absolute path, such as /var/lib/node_exporter/textfile_collector")
    return folder


class Prometheus(Table):
    """Where the metrics of a verdict go; the platform's own metrics are `[api] metrics_path`.

    Attributes:
        pushgateway: the address of a Pushgateway, with its path prefix if it has one.
        job: the value of the label `job` there.
        user: sent with `password` by basic authentication; "" sends none.
        textfile_folder: the folder that node_exporter's textfile collector reads, on this machine.
    """

    pushgateway: BaseAddress | None = None
    job: Annotated[str, Field(pattern=r"^[\w-]+$")] = "kamiyo-verify"
    user: str = ""
    password: Credential = Credential(name="PUSHGATEWAY_PASSWORD")
    textfile_folder: Annotated[str, AfterValidator(_absolute)] | None = None
