"""Every setting: its name, default, unit and range; and how flags, environment and file become one `Config`."""

from watchword_server.config.settings import (
    Audit,
    Auth,
    Config,
    Handshake,
    Heartbeat,
    Issuer,
    Limits,
    Live,
    Ops,
    Server,
    StatementLimits,
    Storage,
)
from watchword_server.config.sources import load_config
from watchword_server.config.values import ConfigError, Problem

__all__ = [
    "Audit",
    "Auth",
    "Config",
    "ConfigError",
    "Handshake",
    "Heartbeat",
    "Issuer",
    "Limits",
    "Live",
    "Ops",
    "Problem",
    "Server",
    "StatementLimits",
    "Storage",
    "load_config",
]
