"""What is kept: history, accounts, who may do what where. Knows no protocol and no settings.

Everything here is attached to a hub, as a guard, a gate or further commands; the core does not
know of it. What a verb must know at once (whose a nick is, who is banned) is in memory; what may
take a moment (a password, old lines) is read in a thread and answered later. No turn of the
reactor waits for the disk.
"""
