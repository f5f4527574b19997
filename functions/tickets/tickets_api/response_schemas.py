"""Response schemas."""

from typing import Annotated, TypedDict

from msgspec import Meta


class Ticket(TypedDict):
    """The address of a WebSocket, which can be opened once."""

    url: Annotated[
        str,
        Meta(
            description="Open it as a WebSocket. It contains a secret: use it at once, and store it nowhere.",
            examples=[
                "wss://a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com/live?ticket=Zk1vJ0wq3hJt5y8nD2xRrBfPz6c…"
            ],
        ),
    ]
    expires_in: Annotated[int, Meta(ge=1, description="Seconds until the ticket expires.", examples=[30])]
