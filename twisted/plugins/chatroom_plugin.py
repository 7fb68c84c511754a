"""Tells `twistd` and `twist` of the `chatroom` command."""

from twisted.application.service import ServiceMaker

chatroom = ServiceMaker(
    "chatroom",
    "chatroom.service",
    "A chat daemon that anyone on the network can talk to with nc or telnet.",
    "chatroom",
)
