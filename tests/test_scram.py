"""SCRAM-SHA-256: the vector of its RFC, and that only the password itself is right."""

from __future__ import annotations

import hmac
from base64 import b64decode, b64encode
from contextlib import suppress
from hashlib import pbkdf2_hmac, sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.scram import ScramError, ScramExchange, derive

# RFC 7677, section 3
SALT = b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")
FIRST = b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
NONCE = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
CHALLENGE = (
    b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
)
UNPROVEN = b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
FINAL = UNPROVEN + b",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
LAST = b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="

PENCIL = derive(b"pencil", SALT, 4096)

BYTES = st.binary(min_size=1, max_size=30)


def begun(first: bytes = FIRST) -> ScramExchange:
    exchange = ScramExchange(first)
    exchange.challenge(PENCIL, NONCE)
    return exchange


def proven(first: bytes, challenge: bytes, password: bytes, more: bytes = b"") -> bytes:
    """What a client answers, computed by the letter of RFC 5802, section 3."""
    nonce, salt, iterations = (part[2:] for part in challenge.split(b",", 2))
    header, bare = first[: first.index(b"n=")], first[first.index(b"n=") :]
    salted = pbkdf2_hmac("sha256", password, b64decode(salt), int(iterations))
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    unproven = b"c=" + b64encode(header) + b",r=" + nonce + more
    message = b",".join([bare, challenge, unproven])
    signature = hmac.digest(sha256(client_key).digest(), message, "sha256")
    proof = bytes(a ^ b for a, b in zip(client_key, signature, strict=True))
    return unproven + b",p=" + b64encode(proof)


def test_the_vector_of_the_rfc() -> None:
    exchange = ScramExchange(FIRST)
    assert exchange.username == "user"
    assert exchange.challenge(PENCIL, NONCE) == CHALLENGE
    assert exchange.finish(FINAL) == (True, LAST)


@given(BYTES, BYTES, BYTES, st.sampled_from([b"n,,", b"y,,", b"n,a=ann,", b"y,a=ANN,"]))
def test_the_right_password_is_right_and_no_other(
    password: bytes, other: bytes, salt: bytes, header: bytes
) -> None:
    first = header + b"n=ann,r=abc"
    record = derive(password, salt, 2)
    for tried in (password, other):
        exchange = ScramExchange(first)
        final = proven(first, exchange.challenge(record, "xyz"), tried)
        right, last = exchange.finish(final)
        # An HMAC takes keys that differ only in zeros behind for one.
        assert right is (tried.rstrip(b"\0") == password.rstrip(b"\0"))
        assert last.startswith(b"v=") if right else last == b"e=invalid-proof"


@given(st.integers(0, 31), st.integers(1, 255))
def test_a_proof_that_differs_anywhere_is_wrong(at: int, by: int) -> None:
    proof = bytearray(b64decode(FINAL.rpartition(b"p=")[2]))
    proof[at] ^= by
    assert not begun().finish(UNPROVEN + b",p=" + b64encode(proof))[0]


@given(st.binary() | st.from_regex(rb"[nyp],(a=x)?,n=[^,]*,r=[a-z]*(,.*)?", fullmatch=True))
def test_no_first_message_raises_anything_else(first: bytes) -> None:
    with suppress(ScramError):
        begun(first)


@given(st.binary() | st.binary().map(lambda some: UNPROVEN + b",p=" + some))
def test_no_last_message_raises_anything_else_and_none_is_right(final: bytes) -> None:
    with suppress(ScramError):
        assert not begun().finish(final)[0]


@pytest.mark.parametrize(
    "first",
    [
        b"", b"n", b"n,,", b"n,,n=ann", b"n,,r=abc,n=ann", b"n,,n=,r=abc", b"n,,n=ann,r=",
        b"p=tls-unique,,n=ann,r=abc", b"n,,m=x,n=ann,r=abc", b"n,,n=ann,r=abc,m=x",
        b"n,,n=a=nn,r=abc", b"n,,n=a=2cb,r=abc", b"n,,n=a\0b,r=abc", b"n,,n=\xff,r=abc",
        b"n,a=bob,n=ann,r=abc", b"n,,n=ann,r=a c", b"x,,n=ann,r=abc", b"n,,n=ann,r=abc,",
        b"n,,n=ann,r=abc\n",
    ],
)  # fmt: skip
def test_what_is_no_first_message_is_refused(first: bytes) -> None:
    with pytest.raises(ScramError):
        ScramExchange(first)


@pytest.mark.parametrize(
    ("escaped", "name"),
    [(b"ann", "ann"), (b"a=2Cb=3D", "a,b="), (b"=3D2C", "=2C"), ("jörg".encode(), "jörg")],
)
def test_the_name_is_unescaped(escaped: bytes, name: str) -> None:
    assert ScramExchange(b"n,,n=" + escaped + b",r=abc").username == name


def test_what_else_either_message_holds_is_signed_and_passed_over() -> None:
    first = FIRST + b",x=more"
    exchange = ScramExchange(first)
    challenge = exchange.challenge(PENCIL, NONCE)
    assert exchange.finish(proven(first, challenge, b"pencil", b",y=z"))[0]


@pytest.mark.parametrize(
    "final",
    [
        b"", UNPROVEN, FINAL.replace(b"biws", b"eSws"), FINAL.replace(b"$k0", b"$k1"),
        FINAL.replace(b",p=", b",m=x,p="), FINAL[:-1], FINAL + b"\n", FINAL + b",x=y",
        FINAL.replace(b"=rOpr", b"=Opr"),
    ],
)  # fmt: skip
def test_what_is_no_last_message_of_this_exchange_is_refused(final: bytes) -> None:
    with pytest.raises(ScramError):
        begun().finish(final)


@pytest.mark.parametrize("again", [lambda e: e.finish(FINAL), lambda e: e.challenge(PENCIL, "x")])
def test_each_step_is_made_once(again: Any) -> None:
    exchange = begun()
    assert exchange.finish(FINAL)[0]
    with pytest.raises(ScramError):
        again(exchange)


def test_without_a_challenge_there_is_nothing_to_prove() -> None:
    with pytest.raises(ScramError, match="nothing to prove"):
        ScramExchange(FIRST).finish(FINAL)
