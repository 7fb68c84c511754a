"""SCRAM-SHA-256: a password is proven without being sent (RFC 5802, RFC 7677). The server's side.

No I/O: bytes come in and go out, and who sends them frames them. Nothing is bound to the channel:
a client that insists on that (`p=`) is refused. The user name is taken as it is sent; a client that
prepares passwords as RFC 4013 says differs from NFC, which is all that is done here, only in such
as hold compatibility characters (the ligature ``fi``): these are right by another mechanism alone.
"""

from __future__ import annotations

import hmac
import re
from base64 import b64decode, b64encode
from hashlib import pbkdf2_hmac, sha256
from typing import Final

from chatroom.names import fold
from chatroom.registrar import Scram

__all__ = ["ScramError", "ScramExchange", "derive"]

# RFC 5802, section 7. An attribute `m` is for extensions that have to be understood, and none is.
_NAME: Final = r"(?:[^=,\0]|=2C|=3D)+"
_NONCE: Final = r"[\x21-\x2b\x2d-\x7e]+"
_MORE: Final = r"(?:,(?![mp]=)[A-Za-z]=[^,\0]+)*"
_FIRST: Final = re.compile(
    rf"(?P<header>(?:[ny]),(?:a=(?P<for>{_NAME}))?,)"
    rf"(?P<bare>n=(?P<name>{_NAME}),r=(?P<nonce>{_NONCE}){_MORE})"
)
_FINAL: Final = re.compile(
    rf"(?P<unproven>c=(?P<binding>[A-Za-z0-9+/]+=*),r=(?P<nonce>{_NONCE}){_MORE})"
    r",p=(?P<proof>[A-Za-z0-9+/]{43}=)"
)


class ScramError(ValueError):
    """The client's message is none, or asks for what there is not; the exchange is over."""


def derive(password: bytes, salt: bytes, iterations: int) -> Scram:
    """What to keep of a password (RFC 5802, section 3). Takes some milliseconds."""
    salted = pbkdf2_hmac("sha256", password, salt, iterations)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    server_key = hmac.digest(salted, b"Server Key", "sha256")
    return Scram(salt, iterations, sha256(client_key).digest(), server_key)


class ScramExchange:
    """One try of a client: made of its first message, it makes a `challenge`, and compares what
    comes back (`finish`), each once. `username` is whom the client says to be. All raise
    ScramError."""

    def __init__(self, client_first: bytes) -> None:
        match = _FIRST.fullmatch(_text(client_first))
        if match is None:
            raise ScramError("That is no first message of SCRAM, or wants channel binding.")
        self.username = _unescaped(match["name"])
        if match["for"] is not None and fold(_unescaped(match["for"])) != fold(self.username):
            raise ScramError("One can only log in as oneself.")
        self._binding = _base64(match["header"].encode())
        self._bare = match["bare"]
        self._nonce = match["nonce"]
        self._record: Scram | None = None
        self._begun = False

    def challenge(self, record: Scram, nonce: str) -> bytes:
        """The server's first message. `nonce` is the server's part: printable, without commas,
        and another each time."""
        if self._begun:
            raise ScramError("There was a challenge already.")
        self._begun, self._record = True, record
        self._nonce += nonce
        self._first = f"r={self._nonce},s={_base64(record.salt)},i={record.iterations}"
        return self._first.encode()

    def finish(self, client_final: bytes) -> tuple[bool, bytes]:
        """Whether the proof is right, and the server's last message."""
        record, self._record = self._record, None
        if record is None:
            raise ScramError("There is nothing to prove.")
        match = _FINAL.fullmatch(_text(client_final))
        if match is None:
            raise ScramError("That is no last message of SCRAM.")
        if match["binding"] != self._binding or match["nonce"] != self._nonce:
            raise ScramError("That is the last message of another exchange.")
        signed = f"{self._bare},{self._first},{match['unproven']}".encode()
        signature = hmac.digest(record.stored_key, signed, "sha256")
        proof = b64decode(match["proof"])
        client_key = bytes(a ^ b for a, b in zip(proof, signature, strict=True))
        if not hmac.compare_digest(sha256(client_key).digest(), record.stored_key):
            return False, b"e=invalid-proof"
        verifier = hmac.digest(record.server_key, signed, "sha256")
        return True, f"v={_base64(verifier)}".encode()


def _text(message: bytes) -> str:
    try:
        return message.decode()
    except UnicodeDecodeError:
        raise ScramError("That is no UTF-8.") from None


def _unescaped(name: str) -> str:
    return name.replace("=2C", ",").replace("=3D", "=")


def _base64(data: bytes) -> str:
    return b64encode(data).decode()
