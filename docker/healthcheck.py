"""Exit code 0 when RadiKal answers its health route and can be used, 1 with one line otherwise.

"degraded" passes: part of it works, and a restart would not bring the rest back.

Used by the HEALTHCHECK of the image; needs nothing but Python.
"""

import json
import sys
import urllib.error
import urllib.request

DEFAULT_URL = "http://127.0.0.1:8000/api/xai-qc/health"
USABLE = ("ok", "degraded")
TIMEOUT_S = 4.0


def problem(url: str) -> str | None:
    """What is wrong in one line, None when the service can be used."""
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_S) as response:
            health = json.load(response)
    except urllib.error.HTTPError as error:
        return f"answered {error.code}"
    except (OSError, ValueError) as error:
        return f"no healthy answer: {error}"
    status = health.get("status") if isinstance(health, dict) else None
    return None if status in USABLE else f"status is {status!r}, expected one of {', '.join(USABLE)}"


if __name__ == "__main__":
    found = problem(sys.argv[1] if len(sys.argv) > 1 else DEFAULT_URL)
    if found:
        sys.exit(found)
