"""The numeric replies of IRC, in a table: what each takes, and what it says.

`docs/irc.md` is made from it. Codes and the order of parameters are those of "Modern IRC"
(modern.ircdocs.horse), RFC 2812 or an IRCv3 extension, as each entry tells; of irc-defs where
only the servers themselves specify them.
"""

from __future__ import annotations

from functools import partial
from typing import Final, NamedTuple

from chatroom.protocols.irc.wire import check_frame, is_middle

MODERN: Final = "Modern IRC, Numerics"
REPLIES: Final = "RFC 2812, section 5.1"
ERRORS: Final = "RFC 2812, section 5.2"
DEFS: Final = "irc-defs, Numerics (defs.ircdocs.horse)"


class Numeric(NamedTuple):
    """One numeric reply. Whom it is sent to always comes first, and is not among `params`."""

    code: str
    """Three digits."""
    params: tuple[str, ...]
    """What its parameters are: `[optional]`, `repeated...`, and `:text` for what is given as the
    text each time. Nobody counts them."""
    text: str
    """The last parameter, where it is always the same; with `{words}` to fill in."""
    source: str
    """What specifies it."""

    def line(
        self, server: str, to: str, /, *params: str, text: str | None = None, **words: object
    ) -> str:
        """The line of this reply, without its end, from `server` to the nick `to` (empty: nobody
        yet). `text` replaces the entry's own; `words` fill that in.

        What cannot be a parameter (empty, with a space, with a colon in front) stands as `*`, as
        Modern IRC has it for ERR_HELPNOTFOUND. Raises ValueError for NUL, CR and LF.
        """
        if text is None and self.text:
            text = self.text.format(**words) if "{" in self.text else self.text
        middle = " ".join([param if is_middle(param) else "*" for param in (to, *params)])
        line = f":{server} {self.code} {middle}"
        return check_frame(line if text is None else f"{line} :{text}")


def _numeric(code: str, params: str = "", text: str = "", source: str = MODERN) -> Numeric:
    return Numeric(code, tuple(params.split()), text, source)


_reply = partial(_numeric, source=REPLIES)
_error = partial(_numeric, source=ERRORS)
_metadata = partial(_numeric, source="IRCv3 draft/metadata-2")
_monitor = partial(_numeric, source="IRCv3 monitor")
_sasl = partial(_numeric, source="IRCv3 sasl-3.1")

# Registration

RPL_WELCOME = _numeric("001", "", "Welcome to the {network} Network, {nick}")
RPL_YOURHOST = _numeric("002", "", "Your host is {server}, running version {version}")
RPL_CREATED = _numeric("003", "", "This server was created {created}")
RPL_MYINFO = _numeric("004", "server version user-modes channel-modes [channel-modes-with-values]")
RPL_ISUPPORT = _numeric("005", "token...", "are supported by this server")

# The server, and who is asked about

RPL_ENDOFSTATS = _numeric("219", "letter", "End of /STATS report")
RPL_UMODEIS = _numeric("221", "user-modes")
RPL_STATSUPTIME = _numeric("242", "", "Server Up {days} days {clock}")
RPL_LUSERCLIENT = _numeric(
    "251", "", "There are {users} users and {invisible} invisible on {servers} servers"
)
RPL_LUSEROP = _numeric("252", "operators", "operator(s) online")
RPL_LUSERUNKNOWN = _numeric("253", "connections", "unknown connection(s)")
RPL_LUSERCHANNELS = _numeric("254", "channels", "channels formed")
RPL_LUSERME = _numeric("255", "", "I have {clients} clients and {servers} servers")
RPL_ADMINME = _numeric("256", "[server]", "Administrative info")
RPL_ADMINLOC1 = _numeric("257", ":where")
RPL_ADMINLOC2 = _numeric("258", ":who")
RPL_ADMINEMAIL = _numeric("259", ":address")
RPL_LOCALUSERS = _numeric("265", "now most", "Current local users {now}, max {most}")
RPL_GLOBALUSERS = _numeric("266", "now most", "Current global users {now}, max {most}")
RPL_WHOISCERTFP = _numeric("276", "nick", "has client certificate fingerprint {fingerprint}")
RPL_ACCEPTLIST = _numeric("281", ":nicks", source=DEFS)
RPL_ENDOFACCEPT = _numeric("282", "", "End of /ACCEPT list", DEFS)
RPL_AWAY = _numeric("301", "nick :message")
RPL_USERHOST = _numeric("302", ":replies")
RPL_ISON = _reply("303", ":nicks")
RPL_UNAWAY = _numeric("305", "", "You are no longer marked as being away")
RPL_NOWAWAY = _numeric("306", "", "You have been marked as being away")
RPL_WHOISUSER = _numeric("311", "nick user host * :realname")
RPL_WHOISSERVER = _numeric("312", "nick server :info")
RPL_WHOISOPERATOR = _numeric("313", "nick", "is an IRC operator")
RPL_WHOWASUSER = _numeric("314", "nick user host * :realname")
RPL_ENDOFWHO = _numeric("315", "mask", "End of WHO list")
RPL_WHOISIDLE = _numeric("317", "nick seconds signon", "seconds idle, signon time")
RPL_ENDOFWHOIS = _numeric("318", "nick", "End of /WHOIS list")
RPL_WHOISCHANNELS = _numeric("319", "nick :channels")

# Channels, and lists of them and of who is there

RPL_LISTSTART = _numeric("321", "Channel", "Users  Name")
RPL_LIST = _numeric("322", "channel members :topic")
RPL_LISTEND = _numeric("323", "", "End of /LIST")
RPL_CHANNELMODEIS = _numeric("324", "channel modes value...")
RPL_CREATIONTIME = _numeric("329", "channel time")
RPL_WHOISACCOUNT = _numeric("330", "nick account", "is logged in as")
RPL_NOTOPIC = _numeric("331", "channel", "No topic is set")
RPL_TOPIC = _numeric("332", "channel :topic")
RPL_TOPICWHOTIME = _numeric("333", "channel who time")
RPL_WHOISBOT = _numeric("335", "nick", "is a bot on {network}", "IRCv3 bot-mode")
RPL_INVITELIST = _numeric("336", "channel")
RPL_ENDOFINVITELIST = _numeric("337", "", "End of /INVITE list")
RPL_WHOISACTUALLY = _numeric("338", "nick user@host address", "Is actually using host")
RPL_INVITING = _numeric("341", "nick channel")
RPL_INVEXLIST = _numeric("346", "channel mask [who time]")
RPL_ENDOFINVEXLIST = _numeric("347", "channel", "End of channel invite exception list")
RPL_EXCEPTLIST = _numeric("348", "channel mask [who time]")
RPL_ENDOFEXCEPTLIST = _numeric("349", "channel", "End of channel exception list")
RPL_VERSION = _numeric("351", "version server :comments")
RPL_WHOREPLY = _numeric("352", "channel user host server nick flags :hops-and-realname")
RPL_NAMREPLY = _numeric("353", "symbol channel :nicks")
RPL_WHOSPCRPL = _numeric("354", "[field...] [:realname]", "", "IRCv3 WHOX")
RPL_LINKS = _numeric("364", "mask server :hops-and-info")
RPL_ENDOFLINKS = _numeric("365", "mask", "End of /LINKS list")
RPL_ENDOFNAMES = _numeric("366", "channel", "End of /NAMES list")
RPL_BANLIST = _numeric("367", "channel mask [who time]")
RPL_ENDOFBANLIST = _numeric("368", "channel", "End of channel ban list")
RPL_ENDOFWHOWAS = _numeric("369", "nick", "End of WHOWAS")
RPL_INFO = _numeric("371", ":line")
RPL_MOTD = _numeric("372", ":line")
RPL_ENDOFINFO = _numeric("374", "", "End of INFO list")
RPL_MOTDSTART = _numeric("375", "", "- {server} Message of the day - ")
RPL_ENDOFMOTD = _numeric("376", "", "End of /MOTD command.")
RPL_WHOISMODES = _numeric("379", "nick", "is using modes {modes}")
RPL_YOUREOPER = _numeric("381", "", "You are now an IRC operator")
RPL_REHASHING = _numeric("382", "file", "Rehashing")
RPL_TIME = _numeric("391", "server [time [offset]] :date")
RPL_VISIBLEHOST = _numeric("396", "host", "is now your displayed host", DEFS)

# What is refused

ERR_UNKNOWNERROR = _numeric("400", "command [subcommand...] :why")
ERR_NOSUCHNICK = _numeric("401", "nick", "No such nick/channel")
ERR_NOSUCHSERVER = _numeric("402", "server", "No such server")
ERR_NOSUCHCHANNEL = _numeric("403", "channel", "No such channel")
ERR_CANNOTSENDTOCHAN = _numeric("404", "channel", "Cannot send to channel")
ERR_TOOMANYCHANNELS = _numeric("405", "channel", "You have joined too many channels")
ERR_WASNOSUCHNICK = _numeric("406", "nick", "There was no such nickname")
ERR_TOOMANYTARGETS = _error("407", "target", "Too many targets, nothing was delivered")
ERR_NOORIGIN = _numeric("409", "", "No origin specified")
ERR_INVALIDCAPCMD = _numeric(
    "410", "subcommand", "Invalid CAP command", "IRCv3 capability-negotiation"
)
ERR_NORECIPIENT = _numeric("411", "", "No recipient given ({command})")
ERR_NOTEXTTOSEND = _numeric("412", "", "No text to send")
ERR_TOOMANYMATCHES = _numeric("416", "command", "Too many lines to show, narrow the query", DEFS)
ERR_INPUTTOOLONG = _numeric("417", "", "Input line was too long")
ERR_UNKNOWNCOMMAND = _numeric("421", "command", "Unknown command")
ERR_NOMOTD = _numeric("422", "", "MOTD File is missing")
ERR_NOADMININFO = _error("423", "server", "No administrative info available")
ERR_NONICKNAMEGIVEN = _numeric("431", "", "No nickname given")
ERR_ERRONEUSNICKNAME = _numeric("432", "nick", "Erroneous nickname")
ERR_NICKNAMEINUSE = _numeric("433", "nick", "Nickname is already in use")
ERR_UNAVAILRESOURCE = _error("437", "nick-or-channel", "Nick/channel is temporarily unavailable")
ERR_USERNOTINCHANNEL = _numeric("441", "nick channel", "They aren't on that channel")
ERR_NOTONCHANNEL = _numeric("442", "channel", "You're not on that channel")
ERR_USERONCHANNEL = _numeric("443", "nick channel", "is already on channel")
ERR_NOTREGISTERED = _numeric("451", "", "You have not registered")
ERR_ACCEPTFULL = _numeric("456", "", "Accept list is full", DEFS)
ERR_ACCEPTEXIST = _numeric("457", "nick", "is already on your accept list", DEFS)
ERR_ACCEPTNOT = _numeric("458", "nick", "is not on your accept list", DEFS)
ERR_NEEDMOREPARAMS = _numeric("461", "command", "Not enough parameters")
ERR_ALREADYREGISTERED = _numeric("462", "", "You may not reregister")
ERR_PASSWDMISMATCH = _numeric("464", "", "Password incorrect")
ERR_INVALIDUSERNAME = _numeric("468", "", "Your username is not valid")
ERR_CHANNELISFULL = _numeric("471", "channel", "Cannot join channel (+l)")
ERR_UNKNOWNMODE = _numeric("472", "mode", "is unknown mode char to me")
ERR_INVITEONLYCHAN = _numeric("473", "channel", "Cannot join channel (+i)")
ERR_BANNEDFROMCHAN = _numeric("474", "channel", "Cannot join channel (+b)")
ERR_BADCHANNELKEY = _numeric("475", "channel", "Cannot join channel (+k)")
ERR_NEEDREGGEDNICK = _numeric("477", "channel-or-nick", "You have to be logged in for this", DEFS)
ERR_BANLISTFULL = _error("478", "channel mode", "Channel list is full")
ERR_NOPRIVILEGES = _numeric("481", "", "Permission Denied- You're not an IRC operator")
ERR_CHANOPRIVSNEEDED = _numeric("482", "channel", "You're not channel operator")
ERR_CANTKILLSERVER = _numeric("483", "", "You can't kill a server!")
ERR_NOOPERHOST = _numeric("491", "", "No O-lines for your host")
ERR_UMODEUNKNOWNFLAG = _numeric("501", "", "Unknown MODE flag")
ERR_USERSDONTMATCH = _numeric("502", "", "Can't change mode for other users")
ERR_HELPNOTFOUND = _numeric("524", "subject", "No help available on this topic")
ERR_INVALIDKEY = _numeric("525", "channel", "Key is not well-formed")

# What came later

RPL_WHOISSECURE = _numeric("671", "nick", "is using a secure connection")
ERR_INVALIDMODEPARAM = _numeric("696", "target mode value :why")
RPL_HELPSTART = _numeric("704", "subject :line")
RPL_HELPTXT = _numeric("705", "subject :line")
RPL_ENDOFHELP = _numeric("706", "subject :line")
ERR_NOPRIVS = _numeric("723", "privilege", "Insufficient oper privileges.")
RPL_MONONLINE = _monitor("730", ":targets")
RPL_MONOFFLINE = _monitor("731", ":targets")
RPL_MONLIST = _monitor("732", ":targets")
RPL_ENDOFMONLIST = _monitor("733", "", "End of MONITOR list")
ERR_MONLISTFULL = _monitor("734", "limit targets", "Monitor list is full.")
RPL_WHOISKEYVALUE = _metadata("760", "target key visibility :value")
RPL_KEYVALUE = _metadata("761", "target key visibility :value")
RPL_KEYNOTSET = _metadata("766", "target key", "key not set")
RPL_METADATASUBOK = _metadata("770", "key...")
RPL_METADATAUNSUBOK = _metadata("771", "key...")
RPL_METADATASUBS = _metadata("772", "key...")
RPL_METADATASYNCLATER = _metadata("774", "target [seconds]")
RPL_LOGGEDIN = _sasl("900", "nick!user@host account", "You are now logged in as {account}")
RPL_LOGGEDOUT = _sasl("901", "nick!user@host", "You are now logged out")
ERR_NICKLOCKED = _sasl("902", "", "You must use a nick assigned to you")
RPL_SASLSUCCESS = _sasl("903", "", "SASL authentication successful")
ERR_SASLFAIL = _sasl("904", "", "SASL authentication failed")
ERR_SASLTOOLONG = _sasl("905", "", "SASL message too long")
ERR_SASLABORTED = _sasl("906", "", "SASL authentication aborted")
ERR_SASLALREADY = _sasl("907", "", "You have already authenticated using SASL")
RPL_SASLMECHS = _sasl("908", "mechanisms", "are available SASL mechanisms")

ALL: Final[dict[str, Numeric]] = {
    name: value for name, value in list(globals().items()) if isinstance(value, Numeric)
}
"""Every numeric by its name, in the order of the codes."""

BY_CODE: Final[dict[str, Numeric]] = {numeric.code: numeric for numeric in ALL.values()}

__all__ = ["ALL", "BY_CODE", "Numeric", *ALL]
