"""Content security policies: what a browser may load and run for us."""

import base64
import hashlib
import re

#: For everything that is not a page: data, pictures, refusals. It may load and run nothing.
CLOSED_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_INLINE_SCRIPT = re.compile(rb"<script>(.*?)</script>", re.DOTALL)


def page_policy(*script_hashes: str) -> str:
    """The policy of a page that Streamlit draws.

    Nothing from other servers, no frames, no workers, no plugins, no `eval` (so no plotly charts on WebGL
    such as `scattergl`). Scripts come from our own files, from `blob:` (Streamlit imports the script of a
    component from there), and from the inline scripts whose hashes are given; its message format compiles
    WebAssembly. `style-src` allows inline styles, which Streamlit and its charts write everywhere.

    Args:
        script_hashes: sources such as `'sha256-...'`, see `hash_source`.
    """
    return "; ".join(
        (
            "default-src 'none'",
            " ".join(("script-src 'self' blob: 'wasm-unsafe-eval'", *script_hashes)),
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "media-src 'self'",
            "manifest-src 'self'",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


def hash_source(text: str | bytes) -> str:
    """The source expression that allows exactly this inline script or style."""
    data = text.encode("utf-8") if isinstance(text, str) else text
    return f"'sha256-{base64.b64encode(hashlib.sha256(data).digest()).decode('ascii')}'"


def inline_scripts(page: bytes) -> list[str]:
    """The source expressions of the inline scripts in an HTML page that holds nothing of a user's."""
    return [hash_source(script) for script in _INLINE_SCRIPT.findall(page)]
