"""One act, sent to the run that trains and answered."""

from __future__ import annotations

import socket

from pydantic import ValidationError

from tacit.envs.errors import ConfigError
from tacit.training.storage.run_folder import RunFolder

from .protocol import ActRequest, Envelope
from .runtime_folder import socket_path

SECONDS = 60.0  # that an answer may take
MOST_ANSWER = 16_000_000  # bytes


def send(run: RunFolder, request: ActRequest) -> Envelope:
    """Send an act and wait for its envelope.

    Raises:
        ConfigError: nothing trains the run, or it does not answer.
    """
    if not hasattr(socket, "AF_UNIX"):
        raise ConfigError("RUN: this system has no Unix sockets, so no run takes acts here.")
    path = socket_path(run)
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(SECONDS)
            connection.connect(str(path))
            connection.sendall(request.line)
            with connection.makefile("rb") as answers:
                line = answers.readline(MOST_ANSWER)
        return Envelope.model_validate_json(line)
    except (FileNotFoundError, ConnectionRefusedError):
        raise ConfigError(
            f"RUN: nothing trains {run.path} now. Acts reach a run only while tacit train or tacit "
            "resume works on it."
        ) from None
    except (OSError, ValidationError) as error:
        raise ConfigError(f"RUN: {run.path} does not answer ({error}).") from None
