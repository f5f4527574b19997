"""Routes of rooms and their members."""

from dataclasses import replace

from rooms_api.request_schemas import Join, NewMember, NewRoom, RoleChange, RoomChange
from tasksync.domain.change_log.activity import ActivityService
from tasksync.domain.rate_limits import ADD_STRANGERS, JOIN, JOIN_FROM
from tasksync.domain.rooms.rooms import MemberWithUser, RoomService
from tasksync.dynamodb.change_log.counts import TaskCountsRepository
from tasksync.dynamodb.change_log.repository import ChangeLogRepository
from tasksync.dynamodb.core.gather import gather_pair
from tasksync.dynamodb.idempotency.repository import IdempotencyRepository
from tasksync.dynamodb.limits.repository import RateLimitsRepository
from tasksync.dynamodb.rooms.changes import RoomChanges
from tasksync.dynamodb.rooms.former_members import FormerMembersRepository
from tasksync.dynamodb.users.repository import UsersRepository
from tasksync.http import responses
from tasksync.http.app import Api
from tasksync.http.pagination.lists import listing
from tasksync.http.pipeline import Idempotency, RateLimits
from tasksync.http.request import Request
from tasksync.http.responses import Response, created, no_content, ok, uncompressed
from tasksync.http.schemas.fields import EmptyBody, Paging
from tasksync.http.schemas.responses import Activity, Listing, Member, Room, RoomSummary
from tasksync.model import entities
from tasksync.model.entities import RoomRole, RoomView
from tasksync.model.errors import (
    AddingRefused,
    AlreadyMember,
    CodeTaken,
    FieldError,
    Invalid,
    LastAdmin,
    NotFound,
    PreconditionFailed,
    RoleTooLow,
    RoomFull,
    TooManyRooms,
    UnknownCode,
    UnknownUser,
)
from tasksync.runtime.settings import settings

_room_changes = RoomChanges()


def _as_seen_now(user_id: str, stored: Response) -> Response:
    """A replayed response without the room's code, unless the caller may still see it."""
    room = stored.body if isinstance(stored.body, dict) else {}
    if not room.get("code"):
        return stored
    membership = _room_changes.memberships_in([room["id"]], user_id).get(room["id"])
    if membership is not None and membership.role is not RoomRole.VIEWER:
        return stored
    return replace(stored, body={**room, "code": None})


api = Api("rooms", Idempotency(IdempotencyRepository(), _as_seen_now), RateLimits(RateLimitsRepository(), settings))
app = api.chalice

_rooms = RoomService(
    _room_changes,
    FormerMembersRepository(),
    UsersRepository(),
    TaskCountsRepository(),
    settings.max_room_members,
    settings.max_rooms_per_user,
    gather_pair,
)
_activity = ActivityService(_room_changes, ChangeLogRepository(), gather_pair)


@api.route("POST", "/rooms", body=NewRoom, status=201, response=Room, raises=(NotFound, CodeTaken, TooManyRooms))
def create_room(request: Request, body: NewRoom) -> Response:
    """Open a room, whose admin is the caller. A room with a chosen code counts as joining a room, too."""
    if body.user_id not in (None, request.caller.user_id):
        raise Invalid(
            [
                FieldError(
                    "/user_id",
                    "not_allowed",
                    "Must be the caller, who alone can open a room: leave it out, or send me.",
                )
            ]
        )
    if body.code is not None:
        # The response shows whether a room has this code, as that of joining does.
        request.count([JOIN, JOIN_FROM])
    return request.carry_out(
        lambda: _rooms.open(request.caller, body.name, body.code, body.join_role),
        lambda view: created(responses.room(view), f"/rooms/{view.room.id}", view.room.version),
    )


@api.route("GET", "/rooms", query=Paging, response=Listing[RoomSummary])
def list_rooms(request: Request, query: Paging) -> Response:
    """List the caller's rooms.

    A room opened or joined a moment ago may be missing: the index that finds rooms by their members is some
    milliseconds behind. A room that the caller has left is not listed.
    """
    caller = request.caller
    return uncompressed(
        listing(request, query, lambda limit, after: _rooms.list(caller, limit, after), responses.room_in_list)
    )


@api.route(
    "POST",
    "/rooms/join",
    body=Join,
    response=Room,
    raises=(NotFound, UnknownCode, AlreadyMember, RoomFull, TooManyRooms),
    limits=(JOIN, JOIN_FROM),
)
def join_room(request: Request, body: Join) -> Response:
    """Join a room by its code, in the room's `join_role`.

    A user who left the room as a viewer comes back as a viewer. For a user whom an admin removed, the code is unknown:
    an admin must add them.
    """
    return request.carry_out(lambda: _rooms.join(request.caller, body.code), _shown)


@api.route("GET", "/rooms/{room_id}", response=Room)
def get_room(request: Request, room_id: str) -> Response:
    """Get a room.

    Only members see a room. For viewers, its code is null.
    """
    return request.unless_known(_shown(_rooms.get(request.caller, room_id)))


@api.route("PUT", "/rooms/{room_id}", body=RoomChange, response=Room, raises=(RoleTooLow, PreconditionFailed))
@api.route("PATCH", "/rooms/{room_id}", body=RoomChange, response=Room, raises=(RoleTooLow, PreconditionFailed))
def change_room(request: Request, room_id: str, body: RoomChange) -> Response:
    """Change the name or the `join_role` of a room, as one of its admins.

    Roles of members are changed by `PATCH /rooms/{room_id}/users/{user_id}`, and the code by
    `POST /rooms/{room_id}/code`.
    """

    def applied(view: RoomView) -> entities.Room:
        return request.merged(responses.room(view), lambda: body.applied(view.room))

    return request.carry_out(
        lambda: _rooms.change(request.caller, room_id, applied, request.matches),
        _shown,
        checked=True,
    )


@api.route("DELETE", "/rooms/{room_id}", raises=(RoleTooLow, PreconditionFailed))
def delete_room(request: Request, room_id: str) -> Response:
    """Delete a room and its tasks, as one of its admins. All memberships end at once."""
    return request.carry_out(
        lambda: _rooms.close(request.caller, room_id, request.matches),
        lambda _: no_content(),
        checked=True,
    )


@api.route("POST", "/rooms/{room_id}/code", body=EmptyBody, response=Room, raises=(RoleTooLow, PreconditionFailed))
def change_code(request: Request, room_id: str, body: EmptyBody) -> Response:
    """Give a room a new code, as one of its admins.

    The old code stops working, and no other room gets it within 90 days.
    """
    return request.carry_out(lambda: _rooms.change_code(request.caller, room_id, request.matches), _shown, checked=True)


@api.route("GET", "/rooms/{room_id}/users", query=Paging, response=Listing[Member])
def list_members(request: Request, room_id: str, query: Paging) -> Response:
    """List the members of a room.

    They come in the order in which they joined, with their names and roles.
    """
    caller = request.caller
    return listing(request, query, lambda limit, after: _rooms.members(caller, room_id, limit, after), responses.member)


@api.route(
    "POST",
    "/rooms/{room_id}/users",
    body=NewMember,
    status=201,
    response=Member,
    raises=(RoleTooLow, UnknownUser, AlreadyMember, RoomFull, AddingRefused, TooManyRooms),
)
def add_member(request: Request, room_id: str, body: NewMember) -> Response:
    """Add a user to a room, as one of its admins.

    The profile of a user says who may add them (`added_by`). Adding users who share no room with the caller is limited
    to 20 an hour. A room that they have shared only for a moment may not count yet: the index that finds rooms by
    their members is some milliseconds behind.
    """
    return request.carry_out(
        lambda: _rooms.add(request.caller, room_id, body.user_id, body.role, lambda: request.count([ADD_STRANGERS])),
        lambda member: created(responses.member(member), f"/rooms/{room_id}/users/{body.user_id}"),
    )


@api.route(
    "PATCH", "/rooms/{room_id}/users/{user_id}", body=RoleChange, response=Member, raises=(RoleTooLow, LastAdmin)
)
def change_role(request: Request, room_id: str, user_id: str, body: RoleChange) -> Response:
    """Change what a member may do, as an admin of the room.

    The last admin cannot become a member or viewer: make another member an admin first.
    """

    def new_role(member: MemberWithUser) -> RoomRole:
        return request.merged(responses.member(member), lambda: body.role)

    return request.carry_out(
        lambda: _rooms.change_role(request.caller, room_id, user_id, new_role),
        lambda member: ok(responses.member(member)),
    )


@api.route("DELETE", "/rooms/{room_id}/users/{user_id}", raises=(RoleTooLow, LastAdmin))
def remove_member(request: Request, room_id: str, user_id: str) -> Response:
    """Leave a room or, as one of its admins, remove a member.

    When the last member leaves, the room is gone at once, and its tasks soon after.
    """
    return request.carry_out(lambda: _rooms.remove(request.caller, room_id, user_id), lambda _: no_content())


@api.route("GET", "/rooms/{room_id}/activity", query=Paging, response=Listing[Activity])
def list_activity(request: Request, room_id: str, query: Paging) -> Response:
    """List the activity in a room, newest first. For viewers, values of the code are null.

    An entry appears some moments after the change. Changes of one task are in their order; those of several tasks that
    were made at nearly the same time may not be. A page is shorter than `limit` if its texts are long.
    """
    caller = request.caller
    return listing(
        request, query, lambda limit, after: _activity.list(caller, room_id, limit, after), responses.activity
    )


def _shown(view: RoomView) -> Response:
    return ok(responses.room(view), view.room.version)
