"""AUTHENTICATE: what scenes/sasl.txt can't show, since it has to be computed or is a matter of
time."""

from __future__ import annotations

import hmac
from base64 import b64decode, b64encode
from hashlib import pbkdf2_hmac, sha256

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from twisted.cred.checkers import InMemoryUsernamePasswordDatabaseDontUse
from twisted.logger import LogLevel

from tests.irc.chatting import Chatting, IRCUser
from tests.registered import logged

PASSWORD = "secret-password"


def written(data: str | bytes) -> str:
    return b64encode(data.encode() if isinstance(data, str) else data).decode()


def plain(name: str = "ann", password: str = PASSWORD) -> str:
    return written(f"\0{name}\0{password}")


def chatting(*accounts: str) -> Chatting:
    chat = Chatting()
    for nick in accounts:
        chat.account(nick, PASSWORD)
    return chat


def codes(lines: list[str]) -> list[str]:
    return [line.split(" ")[1] for line in lines]


class Scram:
    """The client's side (RFC 5802, section 3), written down anew."""

    def __init__(self, user: IRCUser, name: str, password: str, header: str = "n,,") -> None:
        self.user, self.password, self.header = user, password, header
        assert user.says("AUTHENTICATE SCRAM-SHA-256") == ["AUTHENTICATE +"]
        self.bare = f"n={name},r=abc"
        (challenge,) = user.says(f"AUTHENTICATE {written(header + self.bare)}")
        self.first = b64decode(challenge.split()[1]).decode()

    def proves(self) -> list[str]:
        """What its proof is answered with."""
        nonce, salt, iterations = (part.split("=", 1)[1] for part in self.first.split(","))
        password = self.password.encode()
        self.key = pbkdf2_hmac("sha256", password, b64decode(salt), int(iterations))
        client_key = hmac.digest(self.key, b"Client Key", "sha256")
        unproven = f"c={written(self.header)},r={nonce}"
        self.signed = f"{self.bare},{self.first},{unproven}".encode()
        signature = hmac.digest(sha256(client_key).digest(), self.signed, "sha256")
        proof = bytes(a ^ b for a, b in zip(client_key, signature, strict=True))
        return self.user.says(f"AUTHENTICATE {written(f'{unproven},p={written(proof)}')}")

    def verifier(self) -> str:
        """What the server has to prove itself by."""
        server_key = hmac.digest(self.key, b"Server Key", "sha256")
        signature = hmac.digest(server_key, self.signed, "sha256")
        return f"AUTHENTICATE {written(f'v={written(signature)}')}"


# SCRAM


@pytest.mark.parametrize("header", ["n,,", "y,,", "n,a=ann,"])
def test_scram_proves_a_password_and_that_the_server_knows_it(header: str) -> None:
    chat = chatting("Ann")
    ann = IRCUser(chat, "ann")
    scram = Scram(ann, "Ann", PASSWORD, header)
    assert scram.proves() == [scram.verifier()]
    told = ann.says("AUTHENTICATE +")
    assert codes(told) == ["900", "903"] and " Ann :You are now logged in as Ann" in told[0]
    chat.close()


def test_a_wrong_proof_is_told_by_904_and_nothing_before_it() -> None:
    chat = chatting("ann")
    for name, password in (("ann", "another"), ("nobody", PASSWORD)):
        user = IRCUser(chat, "x")
        assert codes(Scram(user, name, password).proves()) == ["904"]
    chat.close()


def test_who_says_more_after_the_proof_has_proven_nothing() -> None:
    chat = chatting("ann")
    ann = IRCUser(chat, "ann")
    assert len(Scram(ann, "ann", PASSWORD).proves()) == 1
    assert codes(ann.says(f"AUTHENTICATE {written('more')}")) == ["904"]
    assert codes(ann.says("AUTHENTICATE +")) == ["908", "904"]
    chat.close()


def test_a_proof_is_none_any_more_once_the_password_is_another() -> None:
    chat = chatting("ann")
    ann, new = IRCUser(chat, "ann"), IRCUser(chat, "new")
    ann.registers(login=("ann", PASSWORD))
    scram = Scram(new, "ann", PASSWORD)
    ann.says(f"NS PASSWD {PASSWORD} another-password")
    assert codes(scram.proves()) == ["904"]
    new.registers(["sasl"])
    scram = Scram(new, "ann", "another-password")
    assert len(scram.proves()) == 1
    ann.says(f"NS PASSWD another-password {PASSWORD}")
    (told,) = new.says("AUTHENTICATE +")
    assert " 904 new :SASL authentication failed: Your account was changed" in told
    chat.close()


# Who is known elsewhere


def test_who_has_a_name_that_is_no_nick_is_told_so() -> None:
    checker = InMemoryUsernamePasswordDatabaseDontUse(**{"ann smith": b"secret", "bob": b"secret"})
    chat = Chatting(None, [checker])
    ann, bob = IRCUser(chat, "ann"), IRCUser(chat, "bob")
    told = ann.says("AUTHENTICATE PLAIN", f"AUTHENTICATE {plain('ann smith', 'secret')}")
    assert codes(told) == ["+", "902"] and "You are ann smith, but can't" in told[1]
    told = bob.says("AUTHENTICATE PLAIN", f"AUTHENTICATE {plain('bob', 'secret')}")
    assert codes(told) == ["+", "900", "903"]
    chat.close()


# Time


def test_nothing_is_taken_until_the_password_was_looked_at() -> None:
    chat = chatting("ann")
    ann = IRCUser(chat, "ann")
    chat.threads.held = True
    ann.says("CAP LS 302")
    assert ann.says("AUTHENTICATE PLAIN") == ["AUTHENTICATE +"]
    told = ann.says(f"AUTHENTICATE {plain()}", "NICK ann", "USER ann 0 * :Ann", "CAP END")
    assert told == []
    chat.threads.let_go()
    chat.settle()
    assert codes(ann.read())[:3] == ["900", "903", "001"]
    chat.close()


@pytest.mark.parametrize("lines", [[], ["NICK x", "USER x 0 * :X"]])
def test_one_that_leaves_meanwhile_is_not_answered(lines: list[str]) -> None:
    chat = chatting("ann")
    ann = IRCUser(chat, "ann")
    ann.says(*lines)
    chat.threads.held = True
    ann.says("AUTHENTICATE PLAIN", f"AUTHENTICATE {plain()}")
    with logged() as events:
        ann.lose()
        chat.threads.let_go()
        chat.settle()
    assert [event for event in events if event["log_level"] > LogLevel.info] == []
    assert not chat.hub.members
    chat.close()


@pytest.mark.parametrize("password", [PASSWORD, "wrong"])
def test_one_that_is_put_out_meanwhile_is_told_no_more(password: str) -> None:
    chat = chatting("ann")
    ann = IRCUser(chat, "x")
    ann.registers()
    chat.threads.held = True
    ann.says("AUTHENTICATE PLAIN", f"AUTHENTICATE {plain(password=password)}")
    chat.hub.leave(chat.hub.members["x"], "put out", chat.wall())
    chat.threads.let_go()
    chat.settle()
    assert [line.split(" ")[0] for line in ann.read()] == ["ERROR"]
    chat.close()


# Whatever is said

MESSAGES = st.one_of(
    st.binary(max_size=40).map(written),
    st.text(max_size=20).map(written),
    st.sampled_from(
        ["+", "*", "=", "A", "é", "A" * 399, "A" * 400, "A" * 401, "/////w==", "\x00", plain(),
         plain(password="wrong"), written("n,,n=ann,r=abc"), written("n,,n==2C,r=a"), "PLAIN",
         written("c=biws,r=abc,p=" + "A" * 43 + "=")]
    ),
)  # fmt: skip


@given(st.sampled_from(["PLAIN", "SCRAM-SHA-256", "EXTERNAL"]), st.lists(MESSAGES, max_size=5))
@example("PLAIN", [plain()])
@example("SCRAM-SHA-256", [written("n,,n=ann,r=abc"), "+", "*"])
@settings(max_examples=60, deadline=None)
def test_whatever_is_said_is_answered_and_logs_nobody_in_without_a_password(
    mechanism: str, messages: list[str]
) -> None:
    chat = chatting("ann")
    with logged() as events:
        user = IRCUser(chat, "x")
        told = user.says(f"AUTHENTICATE {mechanism}", *(f"AUTHENTICATE {m}" for m in messages))
        told += user.says("PING x")
        assert told[-1].endswith(" PONG chatroom.local :x")
        known = {"+", "400", "417", "461", "900", "903", "904", "905", "906", "907", "908", "PONG"}
        assert all(code in known or line.startswith("AUTHENTICATE ")
                   for code, line in zip(codes(told), told, strict=True))  # fmt: skip
        if plain() not in messages:
            assert not {"900", "903"} & set(codes(told))
        chat.close()
    assert [event for event in events if event["log_level"] > LogLevel.info] == []
