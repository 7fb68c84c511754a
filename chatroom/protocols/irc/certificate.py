"""The TLS certificate that a client may show: asked for in the handshake, never demanded, and known
by its fingerprint alone. Who signed it does not matter: its owner had it kept for an account."""

from __future__ import annotations

import sys
from typing import Any

__all__ = ["ask", "fingerprint"]


def ask(transport: Any) -> None:
    """Let a TLS connection that was just made ask its peer for a certificate. Its context is
    shared, and has to have a session id where sessions are resumed, as Twisted's has."""
    ssl = sys.modules.get("OpenSSL.SSL")  # who does not use TLS does not need it
    handle = getattr(transport, "getHandle", lambda: None)()
    if ssl is not None and isinstance(handle, ssl.Connection):
        handle.set_verify(ssl.VERIFY_PEER, lambda *_: True)


def fingerprint(transport: Any) -> str:
    """SHA-256 of the certificate that the peer showed, in lower-case hex; '' if it showed none."""
    peer_certificate = getattr(transport, "getPeerCertificate", None)
    certificate = None if peer_certificate is None else peer_certificate()
    if certificate is None:
        return ""
    digest: str = certificate.digest("sha256").decode("ascii").replace(":", "").lower()
    return digest
