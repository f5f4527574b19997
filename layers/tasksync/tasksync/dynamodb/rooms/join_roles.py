"""How a room's item and its audit trail spell what joining by its code gives: ``entities.JoinRole`` or nothing."""

import msgspec

from tasksync.dynamodb.core.mapper import Form
from tasksync.model.entities import JoinRole

_NOBODY = "none"


def stored(join_role: JoinRole | None) -> str:
    return _NOBODY if join_role is None else join_role.value


def _read(text: str | None) -> JoinRole | None:
    """Of what ``stored`` has written. Rooms from before there was a choice say nothing: members join them."""
    if text is None:
        return JoinRole.MEMBER
    return None if text == _NOBODY else JoinRole(text)


def _shown(text: str | None) -> str | None:
    join_role = _read(text)
    return None if join_role is None else join_role.value


class _Stored(msgspec.Struct, frozen=True, gc=False):
    S: str | None

    @property
    def role(self) -> JoinRole | None:
        return _read(self.S)


JOIN_ROLE = Form(_Stored, "role", write=stored, show=_shown, absent=_Stored(None))
