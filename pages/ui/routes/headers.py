"""Security headers on every response: other sites may not load into the app, frame it, or see a visitor's address."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from importlib.resources import files

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send


def _inline_scripts() -> str:
    """The hashes of the inline scripts in Streamlit's own page; no other inline script runs."""
    page = files("streamlit").joinpath("static", "index.html").read_text(encoding="utf-8")
    digests = [hashlib.sha256(script.encode()).digest() for script in re.findall(r"<script>(.*?)</script>", page, re.S)]
    return " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)


# Streamlit's front end needs inline styles and generated scripts (blob: for components, WebAssembly); Plotly draws
# pictures from data: and blob: addresses. The list names no other host.
POLICY = "; ".join(
    (
        "default-src 'self'",
        f"script-src 'self' {_inline_scripts()} 'wasm-unsafe-eval' blob:",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self' data: blob:",
        "worker-src 'self' blob:",
        "frame-src 'self'",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'self'{sites}",
    )
)
FRAME_COOKIE = ("samesite", "secure", "partitioned")
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


def policy(embed: Sequence[str] = ()) -> str:
    """The Content-Security-Policy, with the sites that may frame the pages."""
    return POLICY.replace("{sites}", "".join(f" {site}" for site in embed))


def is_https(scope: Scope) -> bool:
    """Whether the browser asked over https, as far as the server or its proxy says."""
    forwarded = dict(scope["headers"]).get(b"x-forwarded-proto", b"").partition(b",")[0].strip()
    return bool(scope.get("scheme") == "https" or forwarded == b"https")


def _let_frames_keep_cookies(headers: MutableHeaders) -> None:
    cookies = headers.getlist("set-cookie")
    del headers["set-cookie"]
    for cookie in cookies:
        kept = [part for part in cookie.split(";") if part.strip().lower().partition("=")[0] not in FRAME_COOKIE]
        headers.append("set-cookie", "; ".join((";".join(kept), "SameSite=None", "Secure", "Partitioned")))


class SecurityHeaders:
    """Adds the headers.

    Pages of the sites in `embed` may show ours in a frame. A browser gives a framed page cookies of its own where these
    are `Partitioned`, which needs https.
    """

    def __init__(self, app: ASGIApp, embed: Sequence[str] = ()) -> None:
        self.app = app
        self.headers = {"Content-Security-Policy": policy(embed), **HEADERS}
        self.is_framed = bool(embed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and add the headers to its response."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self.headers.items():
                    headers.setdefault(name, value)
                if self.is_framed and is_https(scope):
                    _let_frames_keep_cookies(headers)
            await send(message)

        await self.app(scope, receive, send_with_headers)
