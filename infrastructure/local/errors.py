"""Errors of the local stack.

LocalStackError
├── ParameterInvalid
├── PortInvalid
├── PortTaken
├── ServerFailed
├── StateDamaged
├── DiskFull
├── TemplateInvalid
├── BuildFailed
├── DeploymentFailed
└── NotRunning
"""

from pathlib import Path


class LocalStackError(Exception):
    """The message is one sentence for the person at the terminal."""


class ParameterInvalid(LocalStackError):
    def __init__(self, given: str) -> None:
        super().__init__(
            f"{given} is no parameter with a value that it may have; give PARAMETERS= one or more NAME=VALUE, "
            "with names and values as the Parameters of template.yaml have them."
        )


class PortInvalid(LocalStackError):
    def __init__(self, port: int | str, highest: int) -> None:
        super().__init__(f"{port} is not a port; give PORT= a number from 1 to {highest}.")


class PortTaken(LocalStackError):
    def __init__(self, port: int) -> None:
        super().__init__(f"Port {port} on 127.0.0.1 is in use; stop what uses it, or choose another with PORT=.")


class ServerFailed(LocalStackError):
    """The server process did not start, or ended by itself."""


class StateDamaged(LocalStackError):
    """What was saved cannot be read."""


class DiskFull(LocalStackError):
    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"The disk with {folder} is full; free some space and start again. What was saved last is left as it is."
        )


class TemplateInvalid(LocalStackError):
    """``template.yaml`` could not be read."""


class BuildFailed(LocalStackError):
    """The code of a function or a layer could not be packaged."""


class DeploymentFailed(LocalStackError):
    """CloudFormation refused the template or a resource of it, or the service did not become healthy."""


class NotRunning(LocalStackError):
    def __init__(self) -> None:
        super().__init__("No local stack is running; start it with: make run")
