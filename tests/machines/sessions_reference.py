"""What the API says of sign-ins, in plain Python: which session is alive, and what each of its tokens is good for."""

from dataclasses import dataclass, field

from tests.machines.reference import NOT_FOUND, Refused

REPEATABLE_SECONDS = 60

_INVALID_TOKEN = Refused(401, "invalid_token")
_INVALID_CREDENTIALS = Refused(401, "invalid_credentials")


@dataclass
class Session:
    """``tokens``: every refresh token it gave out, the one that is good last. ``key``, ``used_at``: of the last
    refresh."""

    id: str
    person: str
    tokens: list[str] = field(default_factory=list)
    alive: bool = True
    key: str | None = None
    used_at: float = 0.0


class Sessions:
    """All sign-ins. Methods raise ``Refused``, or do what they say. ``at``: seconds, from whenever."""

    def __init__(self) -> None:
        self.passwords: dict[str, str] = {}
        self.all: list[Session] = []

    # ----------------------------------------------------------------------------------------------- what is there
    def of(self, person: str) -> list[Session]:
        """Oldest first."""
        return [session for session in self.all if session.person == person and session.alive]

    # ------------------------------------------------------------------------------------------------ what is done
    def sign_in(self, person: str, password: str) -> None:
        if self.passwords[person] != password:
            raise _INVALID_CREDENTIALS

    def refresh(self, session: Session, token: str, key: str | None, at: float) -> bool:
        """Whether this is the answer of the last refresh again. A new token is for the caller to add."""
        if not session.alive:
            raise _INVALID_TOKEN
        served = key is not None and key == session.key and at < session.used_at + REPEATABLE_SECONDS
        if token != session.tokens[-1]:
            if served and token == session.tokens[-2]:
                return True
            session.alive = False
            raise _INVALID_TOKEN
        if served:
            raise Refused(422, "idempotency_key_reused")
        session.key, session.used_at = key, at
        return False

    def sign_out(self, session: Session, token: str) -> None:
        """With the good token, or the one before, whose successor may have been lost."""
        if token in session.tokens[-2:]:
            session.alive = False

    def end(self, caller: Session, session: Session) -> None:
        self.require(caller)
        if session.person != caller.person or not session.alive:
            raise NOT_FOUND
        session.alive = False

    def end_all(self, caller: Session) -> None:
        self.require(caller)
        for session in self.of(caller.person):
            session.alive = False

    def change_password(self, caller: Session, current: str, new: str) -> None:
        self.require(caller)
        if self.passwords[caller.person] != current:
            raise _INVALID_CREDENTIALS
        self.passwords[caller.person] = new
        for session in self.of(caller.person):
            session.alive = session is caller

    def require(self, caller: Session) -> None:
        if not caller.alive:
            raise _INVALID_TOKEN
