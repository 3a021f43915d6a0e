"""Keep compiled templates on disk: to compile those of a report takes a tenth of a short run."""

from __future__ import annotations

import contextlib
import hashlib
import marshal
import os
import secrets
import sys
from importlib.metadata import version
from importlib.util import cache_from_source
from pathlib import Path

from jinja2 import BytecodeCache
from jinja2.bccache import Bucket

_DIGEST = hashlib.sha256


class CompiledTemplates(BytecodeCache):
    """Compiled templates, kept where Python keeps the compiled modules of the same folder.

    They depend on the template, the settings, Jinja and Python, and on nothing else: no filter of ours is
    applied while a template is compiled. They hold no values. A file that is damaged, or that cannot be
    written, is as good as none; PYTHONDONTWRITEBYTECODE and PYTHONPYCACHEPREFIX apply.

    Args:
        folder: the folder of the templates.
        settings: identifies the settings of their environment.
    """

    def __init__(self, folder: Path, settings: str) -> None:
        self._folder = Path(cache_from_source(str(folder / "template.py"))).parent
        self._made_by = f"jinja {version('jinja2')} python {sys.version} {sys.flags.optimize} {settings}"

    def load_bytecode(self, bucket: Bucket) -> None:
        """Set the code of a template, if it is kept."""
        try:
            kept = self._path(bucket).read_bytes()
        except OSError:
            return
        size = _DIGEST().digest_size
        digest, code = kept[:size], kept[size:]
        if digest == self._digest(bucket, code):
            bucket.code = marshal.loads(code)  # noqa: S302 - as with Python's own, who may write here may run code

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep the code of a template, whole or not at all."""
        if sys.dont_write_bytecode or bucket.code is None:
            return
        path = self._path(bucket)
        partial = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
        code = marshal.dumps(bucket.code)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            partial.write_bytes(self._digest(bucket, code) + code)
            os.replace(partial, path)  # noqa: PTH105 - names both
        except OSError:
            with contextlib.suppress(OSError):
                partial.unlink(missing_ok=True)

    def _path(self, bucket: Bucket) -> Path:
        return self._folder / f"template-{bucket.key}.{sys.implementation.cache_tag}.bin"

    def _digest(self, bucket: Bucket, code: bytes) -> bytes:
        """Return what a file of this template, this Jinja and this Python begins with."""
        return _DIGEST(f"{self._made_by}\n{bucket.checksum}\n".encode() + code).digest()
