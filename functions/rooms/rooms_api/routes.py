"""Routes of rooms and their members."""

from rooms_api import payloads
from rooms_api.payloads import Join, NewMember, NewRoom, NoFields, RoleChange, RoomChange
from tasksync.domain.rooms import RoomService
from tasksync.entities import RoomView
from tasksync.errors import Fault, Invalid
from tasksync.http.api import Api
from tasksync.http.fields import Paging
from tasksync.http.idempotency import IdempotencyKeys
from tasksync.http.lists import listing, position
from tasksync.http.representations import room_in_list
from tasksync.http.request import Request
from tasksync.http.responses import Response, created, no_content, not_modified, ok
from tasksync.settings import settings
from tasksync.tables.receipts import ReceiptsTable
from tasksync.tables.room_changes import RoomChanges
from tasksync.tables.users import UsersTable

api = Api("rooms", IdempotencyKeys(ReceiptsTable()))
app = api.chalice

_rooms = RoomService(RoomChanges(), UsersTable(), settings.max_room_members, settings.max_rooms_per_user)


@api.route("POST", "/rooms", body=NewRoom)
def create_room(request: Request, body: NewRoom) -> Response:
    if body.user_id not in (None, request.caller.user_id):
        raise Invalid([Fault("/user_id", "not_allowed", "A room is opened by the caller, and by nobody else.")])
    return request.carry_out(
        lambda receipt: _rooms.open(request.caller, body.name, body.code, receipt),
        lambda view: created(payloads.room(view), f"/rooms/{view.room.id}", view.room.version),
    )


@api.route("GET", "/rooms", query=Paging)
def list_rooms(request: Request, query: Paging) -> Response:
    page = _rooms.list(request.caller, query.limit, position(request, query))
    return listing(request, page, room_in_list)


@api.route("POST", "/rooms/join", body=Join)
def join_room(request: Request, body: Join) -> Response:
    return request.carry_out(lambda receipt: _rooms.join(request.caller, body.code, receipt), _shown)


@api.route("GET", "/rooms/{room_id}")
def get_room(request: Request, room_id: str) -> Response:
    view = _rooms.get(request.caller, room_id)
    return not_modified(view.room.version) if request.unchanged(view.room.version) else _shown(view)


@api.route("PUT", "/rooms/{room_id}", body=RoomChange)
@api.route("PATCH", "/rooms/{room_id}", body=RoomChange)
def change_room(request: Request, room_id: str, body: RoomChange) -> Response:
    return request.carry_out(
        lambda receipt: _rooms.change(request.caller, room_id, body.applied, request.matches, receipt), _shown
    )


@api.route("DELETE", "/rooms/{room_id}")
def delete_room(request: Request, room_id: str) -> Response:
    return request.carry_out(
        lambda receipt: _rooms.close(request.caller, room_id, request.matches, receipt), lambda _: no_content()
    )


@api.route("POST", "/rooms/{room_id}/code", body=NoFields)
def change_code(request: Request, room_id: str, body: NoFields) -> Response:
    return request.carry_out(
        lambda receipt: _rooms.change_code(request.caller, room_id, request.matches, receipt), _shown
    )


@api.route("GET", "/rooms/{room_id}/users", query=Paging)
def list_members(request: Request, room_id: str, query: Paging) -> Response:
    page = _rooms.members(request.caller, room_id, query.limit, position(request, query))
    return listing(request, page, payloads.member)


@api.route("POST", "/rooms/{room_id}/users", body=NewMember)
def add_member(request: Request, room_id: str, body: NewMember) -> Response:
    return request.carry_out(
        lambda receipt: _rooms.add(request.caller, room_id, body.user_id, body.role, receipt),
        lambda member: created(payloads.member(member), f"/rooms/{room_id}/users/{body.user_id}"),
    )


@api.route("PATCH", "/rooms/{room_id}/users/{user_id}", body=RoleChange)
def change_role(request: Request, room_id: str, user_id: str, body: RoleChange) -> Response:
    return request.carry_out(
        lambda receipt: _rooms.change_role(request.caller, room_id, user_id, body.role, receipt),
        lambda member: ok(payloads.member(member)),
    )


@api.route("DELETE", "/rooms/{room_id}/users/{user_id}")
def remove_member(request: Request, room_id: str, user_id: str) -> Response:
    return request.carry_out(
        lambda receipt: _rooms.remove(request.caller, room_id, user_id, receipt), lambda _: no_content()
    )


def _shown(view: RoomView) -> Response:
    return ok(payloads.room(view), view.room.version)
