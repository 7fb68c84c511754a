"""What every Twisted tutorial shows: a LineReceiver, and a sendLine for each other client."""

from __future__ import annotations

import sys
from typing import Any

from twisted.internet import reactor
from twisted.internet.protocol import ServerFactory, connectionDone
from twisted.protocols.basic import LineReceiver
from twisted.python.failure import Failure


class Chat(LineReceiver):
    factory: ChatFactory
    sendLine: Any

    def connectionMade(self) -> None:
        self.factory.joined += 1
        self.name = f"c{self.factory.joined:05}".encode()
        self.factory.clients.add(self)
        self.sendLine(b"Welcome to this chatroom!")

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.factory.clients.discard(self)

    def lineReceived(self, line: bytes) -> None:
        for client in self.factory.clients:
            if client is not self:
                client.sendLine(b"<" + self.name + b"> " + line)


class ChatFactory(ServerFactory):
    protocol: Any = Chat

    def __init__(self) -> None:
        self.clients: set[Any] = set()
        self.joined = 0


if __name__ == "__main__":
    reactor.listenTCP(int(sys.argv[1]), ChatFactory(), interface="127.0.0.1")
    reactor.run()
