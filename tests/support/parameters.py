"""Parameters as they come over the wire."""

from typing import Any

from watchword_protocol.codec import encode
from watchword_protocol.messages import Parameter

__all__ = ["parameters"]


def parameters(*values: Any) -> list[Parameter]:
    """Each value in JSON."""
    return [Parameter(encode(value)) for value in values]
