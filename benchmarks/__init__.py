"""Measures this daemon beside others, in one run: `python -m benchmarks`. docs/performance.md
says what the figures mean. Linux only: what a server costs is read from /proc.

Knows nothing of the daemon's insides: it is one peer among the others, over sockets.
"""
