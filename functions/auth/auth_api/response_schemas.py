"""Response schemas."""

from typing import Annotated, TypedDict

from msgspec import Meta

from tasksync.http.schemas.responses import User

Seconds = Annotated[int, Meta(ge=0, examples=[600])]


class SignedIn(TypedDict):
    """A pair of tokens (RFC 6749 §5.1), and their user."""

    user: Annotated[User, Meta(description="Who is signed in.")]
    access_token: Annotated[str, Meta(description="For `Authorization: Bearer`.", examples=["eyJhbGciOiJFUzI1NiIs…"])]
    token_type: Annotated[str, Meta(description="How the access token is sent.", examples=["Bearer"])]
    expires_in: Annotated[Seconds, Meta(description="Seconds until the access token expires.")]
    refresh_token: Annotated[
        str,
        Meta(
            description=(
                "Valid for one use, which returns the next pair of tokens. It expires if it is not "
                "used for 3 days, or for the time that the installation is set to, even if "
                "`refresh_expires_in` is greater."
            ),
            examples=["ses_01a1fc4c951c7ae3…"],
        ),
    ]
    refresh_expires_in: Annotated[
        int, Meta(ge=0, description="Seconds until the session ends, however often it is refreshed.", examples=[604800])
    ]


class AccessToken(TypedDict):
    """A new access token of the current session."""

    access_token: Annotated[str, Meta(description="For `Authorization: Bearer`.", examples=["eyJhbGciOiJFUzI1NiIs…"])]
    token_type: Annotated[str, Meta(description="How the access token is sent.", examples=["Bearer"])]
    expires_in: Annotated[Seconds, Meta(description="Seconds until the access token expires.")]


class PublicKey(TypedDict):
    """A key that access tokens can be verified with (RFC 7517 §4, RFC 7518 §6.2)."""

    kty: Annotated[str, Meta(description="The type of the key.", examples=["EC"])]
    crv: Annotated[str, Meta(description="The curve.", examples=["P-256"])]
    x: Annotated[str, Meta(description="The first coordinate, as base64url.")]
    y: Annotated[str, Meta(description="The second coordinate, as base64url.")]
    use: Annotated[str, Meta(description="What it is for: signatures.", examples=["sig"])]
    alg: Annotated[str, Meta(description="The algorithm it is used with.", examples=["ES256"])]
    kid: Annotated[str, Meta(description="The id of the key, which the header of a token names.")]


class PublicKeys(TypedDict):
    """A JWK set (RFC 7517 §5)."""

    keys: Annotated[list[PublicKey], Meta(description="The key in use, and those whose tokens are still accepted.")]
