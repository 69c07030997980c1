"""A server's `POST /v1/api/sql`, for the command line."""

import http.client
import json
import ssl
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from watchword_server.cli.failure import Failure

__all__ = ["Endpoint", "Refusal"]

_PATH: Final = "/v1/api/sql"
_TIMEOUT_S: Final = 60.0
_PORTS: Final = {"ws": 80, "http": 80, "wss": 443, "https": 443}


class Refusal(Exception):  # noqa: N818  # a verdict of the server's, as in its own code
    """The server answered with an error; `error` is the object of its body."""

    def __init__(self, error: Mapping[str, Any]) -> None:
        super().__init__(error.get("code"), error.get("message"))
        self.error = error


class Endpoint:
    """Where to ask, and as whom.

    Args:
        url: Of the server: `ws://`, `wss://`, `http://` or `https://`; path and query do not matter.
        authorization: The value of the header.

    Raises:
        Failure: The url is none.
    """

    def __init__(self, url: str, authorization: str) -> None:
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            parts, port = urlsplit(""), None
        if parts.scheme not in _PORTS or not parts.hostname:
            raise Failure(f"{url} is no address of a server: write it like ws://127.0.0.1:8080")
        self._url = url
        self._host, self._port = parts.hostname, port or _PORTS[parts.scheme]
        self._is_secure = parts.scheme in ("wss", "https")
        self._headers = {"Authorization": authorization, "Content-Type": "application/json"}

    def ask(self, request: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The results of one request.

        Raises:
            Refusal: The server's error.
            Failure: There is no server, or none of ours.
        """
        connection = (
            http.client.HTTPSConnection(
                self._host, self._port, timeout=_TIMEOUT_S, context=ssl.create_default_context()
            )
            if self._is_secure
            else http.client.HTTPConnection(self._host, self._port, timeout=_TIMEOUT_S)
        )
        try:
            connection.request("POST", _PATH, json.dumps(request), self._headers)
            answer = connection.getresponse()
            status, body = answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise Failure(f"no answer from {self._url}: {reason}") from None
        finally:
            connection.close()
        try:
            content = json.loads(body)
            if content["status"] == "success":
                results: list[dict[str, Any]] = content["results"]
                return results
            error_object: Mapping[str, Any] = content["error"]
        except (ValueError, KeyError, TypeError):
            raise Failure(f"what answers at {self._url} is no Watchword server (HTTP {status})") from None
        raise Refusal(error_object)
