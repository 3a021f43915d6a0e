"""A program with Locust's command line that sends nothing: for what the suite does with a Locust, in no time.

What the master does stands in the variable FAKE_LOCUST: a file with the result to write, "hang", or "fail".
Every process writes its id into the folder FAKE_LOCUST_PIDS, and ends when its standard input does.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path


def main() -> int:
    """Be a master or a worker."""
    (Path(os.environ["FAKE_LOCUST_PIDS"]) / str(os.getpid())).write_text(" ".join(sys.argv), encoding="utf-8")
    does = os.environ["FAKE_LOCUST"]
    if "--master" in sys.argv:
        if does == "fail":
            print("a line before the last")
            print("Address already in use")
            return 1
        if does != "hang":
            result = Path(os.environ["KAMIYO_LOAD_RESULT"])
            Path(shutil.copy(does, result.with_suffix(".part"))).replace(result)
            return 0
    sys.stdin.read()
    return 0


if __name__ == "__main__":
    sys.exit(main())
