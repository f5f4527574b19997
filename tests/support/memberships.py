"""The ways in which a membership ends."""

from tests.support.client import Person


def end_membership(way: str, admin: Person, member: Person, room_id: str) -> None:
    """``way``: "left", "was removed" or "whose room is gone"."""
    match way:
        case "left":
            response = member.delete(f"/rooms/{room_id}/users/{member.id}")
        case "was removed":
            response = admin.delete(f"/rooms/{room_id}/users/{member.id}")
        case "whose room is gone":
            response = admin.delete(f"/rooms/{room_id}")
        case _:
            raise ValueError(way)
    assert response.status == 204, response
