"""`python -m kamiyo_verify.cli`: the console script if its folder is not on the PATH."""

from kamiyo_verify.cli.main import main

main()
