"""The wire contract of Watchword, version 1: messages, codec, error table, limits. Pure: no I/O, no clock, no loop."""

__version__ = "0.1.0"
