"""AWS Signature Version 4, for POST requests to the root path of a service.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import hashlib
import hmac
import time
import urllib.parse

from botocore.credentials import ReadOnlyCredentials

_NAMES = "content-type;host;x-amz-date;x-amz-target"
_NAMES_IN_SESSION = "content-type;host;x-amz-date;x-amz-security-token;x-amz-target"

_DEFAULT_PORTS = {"http": 80, "https": 443}


class Signer:
    """Signs requests to one service in one region."""

    def __init__(self, service: str, region: str, url: str) -> None:
        parts = urllib.parse.urlsplit(url)
        host = str(parts.hostname)
        self._host = host if parts.port in (None, _DEFAULT_PORTS[parts.scheme]) else f"{host}:{parts.port}"
        self._service = service
        self._region = region
        self._key: tuple[str, str, bytes] = ("", "", b"")

    def signed(self, credentials: ReadOnlyCredentials, media_type: str, target: str, body: bytes) -> dict[str, str]:
        """The headers of a signed request with this Content-Type and X-Amz-Target."""
        now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        day = now[:8]
        token = credentials.token
        secured = f"x-amz-security-token:{token}\n" if token else ""
        # Sorted by name.
        listed = f"content-type:{media_type}\nhost:{self._host}\nx-amz-date:{now}\n{secured}x-amz-target:{target}\n"
        names = _NAMES_IN_SESSION if token else _NAMES
        request = f"POST\n/\n\n{listed}\n{names}\n{hashlib.sha256(body).hexdigest()}"
        scope = f"{day}/{self._region}/{self._service}/aws4_request"
        text = f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
        signature = hmac.digest(self._signing_key(str(credentials.secret_key), day), text.encode(), "sha256").hex()
        credential = f"Credential={credentials.access_key}/{scope}, SignedHeaders={names}, Signature={signature}"
        headers = {
            "Content-Type": media_type,
            "X-Amz-Date": now,
            "X-Amz-Target": target,
            "Authorization": f"AWS4-HMAC-SHA256 {credential}",
        }
        if token:
            headers["X-Amz-Security-Token"] = token
        return headers

    def _signing_key(self, secret: str, day: str) -> bytes:
        """The signing key of one day (in UTC), cached."""
        known_secret, known_day, key = self._key
        if (known_secret, known_day) != (secret, day):
            key = f"AWS4{secret}".encode()
            for part in (day, self._region, self._service, "aws4_request"):
                key = hmac.digest(key, part.encode(), "sha256")
            self._key = secret, day, key
        return key
