"""How a room's item and its audit trail spell what joining by its code gives: ``entities.JoinRole`` or nothing."""

from tasksync.model.entities import JoinRole

_NOBODY = "none"


def stored(join_role: JoinRole | None) -> str:
    return _NOBODY if join_role is None else join_role.value


def read(text: str | None) -> JoinRole | None:
    """Of what ``stored`` has written. Rooms from before there was a choice say nothing: members join them."""
    if text is None:
        return JoinRole.MEMBER
    return None if text == _NOBODY else JoinRole(text)
