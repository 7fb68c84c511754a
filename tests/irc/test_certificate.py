"""TLS certificates of clients, over real TLS in memory."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone
from twisted.internet.ssl import DefaultOpenSSLContextFactory, PrivateCertificate
from twisted.internet.testing import StringTransport
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.python.failure import Failure

from chatroom.protocols.irc import certificate
from tests.daemon import certificate as made
from tests.irc.chatting import Chatting

# Of Twisted's own endpoints with this pyOpenSSL.
pytestmark = pytest.mark.filterwarnings("ignore:Passing pyOpenSSL:DeprecationWarning")

PASSWORD = "secret-password"
TLS_1_2, TLS_1_3 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("certificates")
    for name in ("localhost", "ann", "bob"):
        made(path, name)
    return path


class Here:
    """A chat that is served over TLS, as endpoints do. `context` is what clients connect with."""

    def __init__(self, folder: Path, *, resumes: bool = False) -> None:
        self.chat = Chatting()
        pem = folder / "localhost.pem"
        server: Any = PrivateCertificate.loadPEM(pem.read_text()).options()
        if resumes:
            server = DefaultOpenSSLContextFactory(str(pem), str(pem))
            server.getContext().set_session_id(b"here")
        self.factory = TLSMemoryBIOFactory(server, False, self.chat.irc, self.chat.reactor)
        self.folder = folder

    def context(self, name: str = "", version: ssl.TLSVersion = TLS_1_3) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.minimum_version = context.maximum_version = version
        if name:
            context.load_cert_chain(self.folder / f"{name}.pem")
        return context

    def fingerprint(self, name: str) -> str:
        pem = (self.folder / f"{name}.pem").read_text()
        begin = pem.index("-----BEGIN CERTIFICATE")
        return sha256(ssl.PEM_cert_to_DER_cert(pem[begin:])).hexdigest()


@pytest.fixture
def here(folder: Path) -> Iterator[Here]:
    here = Here(folder)
    yield here
    here.chat.close()


class TLSUser:
    """A client, whose context may have a certificate."""

    def __init__(
        self, here: Here, context: ssl.SSLContext, session: ssl.SSLSession | None = None
    ) -> None:
        self.chat = here.chat
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, session=session)
        self.transport = StringTransport(peerAddress=IPv4Address("TCP", "203.0.113.7", 49152))
        self.protocol = here.factory.buildProtocol(self.transport.getPeer())
        assert self.protocol is not None
        self.protocol.makeConnection(self.transport)
        for _ in range(4):
            try:
                self.tls.do_handshake()
            except ssl.SSLWantReadError:
                self._flow()
        self._flow()

    def _flow(self) -> None:
        assert self.protocol is not None
        if sent := self.outgoing.read():
            self.protocol.dataReceived(sent)
        self.chat.settle()
        self.incoming.write(self.transport.value())
        self.transport.clear()

    def says(self, *lines: str) -> list[str]:
        self.tls.write("".join(f"{line}\r\n" for line in lines).encode())
        self._flow()
        received = b""
        try:
            while data := self.tls.read(65536):
                received += data
        except ssl.SSLWantReadError:
            pass
        return received.decode().split("\r\n")[:-1]

    def registers(self, nick: str) -> list[str]:
        return self.says(f"NICK {nick}", f"USER {nick} 0 * :{nick.capitalize()}")

    def logs_in(self, data: str = "+") -> list[str]:
        told = self.says("AUTHENTICATE EXTERNAL", f"AUTHENTICATE {data}")
        return [line.split(" ")[1] for line in told]

    def leaves(self) -> None:
        """It breaks off, but its session can be resumed."""
        assert self.protocol is not None
        self.protocol.connectionLost(Failure(ConnectionDone()))
        self.chat.settle()


@pytest.mark.parametrize("version", [TLS_1_2, TLS_1_3])
def test_a_certificate_logs_in_once_it_is_kept_for_an_account(
    here: Here, version: ssl.TLSVersion
) -> None:
    context, fingerprint = here.context("ann", version), here.fingerprint("ann")
    ann = TLSUser(here, context)
    assert any("sasl=SCRAM-SHA-256,EXTERNAL,PLAIN " in line for line in ann.says("CAP LS 302"))
    assert ann.logs_in() == ["+", "904"]
    ann.says("NICK ann", "USER ann 0 * :Ann", "CAP END", f"NS REGISTER {PASSWORD}")
    (told,) = ann.says("NS CERT ADD")
    assert told.endswith(f"NOTICE ann :{fingerprint} proves your account from now on.")
    assert any(f" 276 ann ann :has client certificate fingerprint {fingerprint}" in line
               for line in ann.says("WHOIS ann"))  # fmt: skip
    again = TLSUser(here, context)
    again.says("CAP LS 302")
    assert again.logs_in() == ["+", "900", "903"]
    assert again.logs_in("YW5u") == ["+", "900", "903"]  # ann
    assert again.logs_in("Ym9i") == ["+", "904"]  # bob
    assert again.logs_in("/w==") == ["+", "904"]
    ann.says("NS CERT DEL")
    assert again.logs_in() == ["+", "904"]


def test_another_certificate_is_another_s(here: Here) -> None:
    ann = TLSUser(here, here.context("ann"))
    ann.registers("ann")
    ann.says(f"NS REGISTER {PASSWORD}", "NS CERT ADD")
    bob = TLSUser(here, here.context("bob"))
    assert bob.logs_in() == ["+", "904"]


@pytest.mark.parametrize("version", [TLS_1_2, TLS_1_3])
def test_who_has_none_is_let_in_as_well(here: Here, version: ssl.TLSVersion) -> None:
    cy = TLSUser(here, here.context("", version))
    assert any("sasl=SCRAM-SHA-256,PLAIN " in line for line in cy.says("CAP LS 302"))
    assert cy.logs_in() == ["908", "904", "908", "904"]
    cy.says("CAP END")
    assert any(" 001 cy " in line for line in cy.registers("cy"))
    assert not any(" 276 " in line for line in cy.says("WHOIS cy"))


@pytest.mark.parametrize("resumes", [True, False])
@pytest.mark.parametrize("name", ["ann", ""])
@pytest.mark.parametrize("version", [TLS_1_2, TLS_1_3])
def test_who_resumes_a_session_has_the_certificate_that_it_had(
    folder: Path, version: ssl.TLSVersion, name: str, resumes: bool
) -> None:
    """Twisted's endpoints resume none; there it is shown again."""
    here = Here(folder, resumes=resumes)
    context = here.context(name, version)
    ann = TLSUser(here, context)
    ann.registers("ann")
    ann.says(f"NS REGISTER {PASSWORD}", *(["NS CERT ADD"] if name else []))
    session = ann.tls.session
    ann.leaves()
    again = TLSUser(here, context, session)
    assert any(" 001 again " in line for line in again.registers("again"))
    again.says("CAP LS 302")
    assert again.tls.session_reused is resumes
    assert again.logs_in() == (["+", "900", "903"] if name else ["908", "904", "908", "904"])
    here.chat.close()


def test_what_is_no_tls_has_none() -> None:
    transport = StringTransport()
    certificate.ask(transport)
    assert certificate.fingerprint(transport) == ""
