"""The lesson's chat: a thread for each client, a list of clients, sends that wait.

It does what the usual lesson on sockets teaches, and runs: the lesson's own list changed while
it was walked, and a client that left kept its thread busy for ever. All else is as taught,
messages without edges among it.
"""

from __future__ import annotations

import socket
import sys
import threading

clients: list[socket.socket] = []
changing = threading.Lock()


def serve(client: socket.socket, address: str) -> None:
    client.send(b"Welcome to this chatroom!\r\n")
    while message := client.recv(2048):
        relay(f"<{address}> ".encode() + message, client)
    remove(client)


def relay(message: bytes, sender: socket.socket) -> None:
    for client in tuple(clients):
        if client is not sender:
            try:
                client.send(message)
            except OSError:
                remove(client)


def remove(client: socket.socket) -> None:
    with changing:
        if client in clients:
            clients.remove(client)
            client.close()


def guarded(client: socket.socket, address: str) -> None:
    try:
        serve(client, address)
    except OSError:
        remove(client)


def main() -> None:
    listener = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=100)
    while True:
        client, address = listener.accept()
        with changing:
            clients.append(client)
        threading.Thread(target=guarded, args=(client, address[0]), daemon=True).start()


if __name__ == "__main__":
    main()
