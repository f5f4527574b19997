"""Shapes of what goes out."""

from typing import Annotated, TypedDict

from msgspec import Meta

from tasksync.http.answers import User

Seconds = Annotated[int, Meta(ge=0, examples=[600])]


class SignedIn(TypedDict):
    """A token answer (RFC 6749 §5.1) with the user it is for."""

    user: User
    access_token: Annotated[str, Meta(description="For `Authorization: Bearer`.", examples=["eyJhbGciOiJFUzI1NiIs…"])]
    token_type: Annotated[str, Meta(examples=["Bearer"])]
    expires_in: Annotated[Seconds, Meta(description="Seconds that the access token is good for.")]
    refresh_token: Annotated[
        str, Meta(description="Good once, for the next pair of tokens.", examples=["ses_01a1fc4c951c7ae3…"])
    ]
    refresh_expires_in: Annotated[
        int, Meta(ge=0, description="Seconds until the session ends, however often it is refreshed.", examples=[604800])
    ]


class AccessToken(TypedDict):
    """A new access token of the session that one is in."""

    access_token: Annotated[str, Meta(description="For `Authorization: Bearer`.", examples=["eyJhbGciOiJFUzI1NiIs…"])]
    token_type: Annotated[str, Meta(examples=["Bearer"])]
    expires_in: Annotated[Seconds, Meta(description="Seconds that the access token is good for.")]


class PublicKey(TypedDict):
    """A key that access tokens can be verified with (RFC 7517 §4, RFC 7518 §6.2)."""

    kty: str
    crv: str
    x: str
    y: str
    use: str
    alg: str
    kid: str


class PublicKeys(TypedDict):
    """A JWK set (RFC 7517 §5)."""

    keys: list[PublicKey]
