"""What can go wrong with the local stack.

LocalStackError
├── PortInvalid
├── PortTaken
├── ServerFailed
├── TemplateInvalid
├── BuildFailed
├── DeploymentFailed
└── NotRunning
"""


class LocalStackError(Exception):
    """The message is one sentence for the person at the terminal."""


class PortInvalid(LocalStackError):
    def __init__(self, port: int | str, highest: int) -> None:
        super().__init__(f"{port} is not a port; give PORT= a number from 1 to {highest}.")


class PortTaken(LocalStackError):
    def __init__(self, port: int) -> None:
        super().__init__(f"Port {port} on 127.0.0.1 is in use; stop what uses it, or choose another with PORT=.")


class ServerFailed(LocalStackError):
    """The server process did not start, or ended by itself."""


class TemplateInvalid(LocalStackError):
    """``template.yaml`` could not be read."""


class BuildFailed(LocalStackError):
    """The code of a function or a layer could not be packaged."""


class DeploymentFailed(LocalStackError):
    """CloudFormation refused the template or a resource of it, or the service did not become healthy."""


class NotRunning(LocalStackError):
    def __init__(self) -> None:
        super().__init__("No local stack is running; start it with: make run")
