#!/bin/sh
# Asks the running platform how it is. Exit code: 0 all is well, 1 something is not.
exec python3 - "${1:?usage: status-check.sh API_URL FRONTEND_URL}" "${2:?usage: status-check.sh API_URL FRONTEND_URL}" <<'END'
import sys
import urllib.request

ask = urllib.request.build_opener(urllib.request.ProxyHandler({})).open
failures = 0
for url in (sys.argv[1] + "/health", sys.argv[1] + "/ready", sys.argv[2] + "/"):
    try:
        with ask(url, timeout=5) as answer:
            print(f"OK      {url} {answer.status}")
    except OSError as problem:
        failures += 1
        print(f"FAILED  {url} {problem}")
print(f"{failures} of 3 failed" if failures else "All systems operational")
sys.exit(min(failures, 1))
END
