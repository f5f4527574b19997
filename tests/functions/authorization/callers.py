"""The people who ask, and what they ask about: one set-up for many questions.

Two rooms, each with a task: in the first, everybody has the role they are called by; the second is somebody else's. A
third place names what does not exist.
"""

import secrets
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

import jwt
from boto3.dynamodb.types import TypeSerializer

from tests.functions.authorizer.forged_tokens import Forger, right_claims
from tests.functions.users.administrators import administrator
from tests.support.aws import LOCK
from tests.support.builders import PASSWORD
from tests.support.client import Client, Person, Response
from tests.support.product import Product

# Of what is asked about; a path or body names them as {name}.
Names = Mapping[str, str]

NOTHING: Names = {
    "room_id": f"room_{'0' * 32}",
    "task_id": f"room_{'0' * 32}.{'0' * 32}",
    "user_id": f"usr_{'0' * 32}",
    "session_id": f"ses_{'0' * 32}",
    "personal_task_id": f"usr_{'0' * 32}.{'0' * 32}",
    "viewers_task_id": f"room_{'0' * 32}.{'1' * 32}",
    "trashed_task_id": f"room_{'0' * 32}.{'2' * 32}",
    "webhook_id": f"whk_{'0' * 32}",
    "newcomer_id": f"usr_{'1' * 32}",
    "code": "ZZZZZZZZZ",
    "asset": "nothing.js",
}


class Scene:
    """``signed_in`` and ``refused``: by role, a client for each. ``own`` and ``other``: the names of the two places."""

    def __init__(self, product: Product) -> None:
        self._product = product
        ada, ben, eve = product.register("ada"), product.register("ben"), product.register("eve")
        mia, vera, rex, dora = (product.register(name) for name in ("mia", "vera", "rex", "dora"))
        room = ada.open_room()
        for person in (ben, mia, vera, rex, dora):
            person.join(room)
        # Both hold tokens from before they lost what they had: it counts from the next request.
        _done(ada.patch(f"/rooms/{room['id']}/users/{vera.id}", json={"role": "admin"}), 200)
        _done(ada.patch(f"/rooms/{room['id']}/users/{vera.id}", json={"role": "viewer"}), 200)
        _done(ada.delete(f"/rooms/{room['id']}/users/{rex.id}"), 204)
        newcomer = product.register("newcomer")
        self.own = _names(room, ada, ben, vera, newcomer)
        otto, bea = product.register("otto"), product.register("bea")
        others = otto.open_room()
        bea.join(others)
        self.other = _names(others, otto, bea, bea, newcomer)
        self.signed_in: dict[str, Person] = {
            "admin": ada,
            "member": mia,
            "viewer": vera,
            "removed": rex,
            "stranger": eve,
            "administrator": administrator(product),
        }
        self._own_names = {role: _of_caller(person) for role, person in self.signed_in.items()}
        self.refused: dict[str, Client] = {
            "no token": product.anonymous,
            "expired": _with_token(ada, _expired(ada)),
            "forged": _with_token(ada, Forger().token(right_claims(ada))),
            "deleted": dora,
        }
        _done(dora.delete("/users/me"), 204)
        self._begin = self.state()

    def ask(self, role: str, method: str, path: str, json: Any, place: Names, key: str | None = None) -> Response:
        """Send a request in which the names are replaced by what they stand for, in this place and for this caller.

        ``key``: an idempotency key to send with it.
        """
        client = self.signed_in.get(role) or self.refused[role]
        names = {**place, **self._own_names.get(role, self._own_names["stranger"])}
        options: dict[str, Any] = {} if json is None else {"json": _filled(json, names)}
        if key is not None:
            options["headers"] = {"Idempotency-Key": key}
        return client.request(method, _filled(path, names), **options)

    def state(self) -> dict[str, list[dict[str, Any]]]:
        """All items of all tables."""
        tables = self._product.aws.stack.of_type("AWS::DynamoDB::Table")
        return {table: sorted(self._product.items(table), key=repr) for table in tables}

    def unchanged(self) -> bool:
        """Whether everything is as it was, but for what counts requests."""
        now = self.state()
        return all(now[table] == items for table, items in self._begin.items() if table != "RateLimitsTable")

    def outage(self, table: str) -> AbstractContextManager[None]:
        """For the block, no function reaches this table."""
        return self._product.aws.permissions.outage(table)

    def restore(self) -> None:
        """Put everything back as it was."""
        aws = self._product.aws
        write = TypeSerializer().serialize
        for table, properties in aws.stack.of_type("AWS::DynamoDB::Table").items():
            keys = [key["AttributeName"] for key in properties["KeySchema"]]
            before = {tuple(item[key] for key in keys): item for item in self._begin[table]}
            now = {tuple(item[key] for key in keys): item for item in self._product.items(table)}
            with LOCK:
                for key in now.keys() - before.keys():
                    gone = dict(zip(keys, map(write, key), strict=True))
                    aws.dynamodb.delete_item(TableName=table, Key=gone)
                for key, item in before.items():
                    if now.get(key) != item:
                        kept = {name: write(value) for name, value in item.items()}
                        aws.dynamodb.put_item(TableName=table, Item=kept)


def told(response: Response, place: Names) -> tuple[int, dict[str, str], str]:
    """What a response tells: status, headers and body, less what the client named and what differs between any two."""
    status, headers, text = response.told()
    # A task's id begins with its room's, so the longer is looked for first.
    for name, value in sorted(place.items(), key=lambda each: -len(each[1])):
        text = text.replace(value, f"{{{name}}}")
    return status, headers, text


def _names(room: Mapping[str, Any], admin: Person, member: Person, viewer: Person, newcomer: Person) -> Names:
    task = admin.plan(room_id=room["id"], user_id=member.id)
    trashed = admin.plan(room_id=room["id"])
    _done(admin.delete(f"/tasks/{trashed['id']}"), 204)
    webhook = admin.post(f"/rooms/{room['id']}/webhooks", json={"url": "https://hooks.example.org/"})
    _done(webhook, 201)
    return {
        "room_id": room["id"],
        "webhook_id": webhook.json()["id"],
        "task_id": task["id"],
        "user_id": member.id,
        "session_id": _session(member),
        "personal_task_id": member.plan()["id"],
        "viewers_task_id": admin.plan(room_id=room["id"], user_id=viewer.id)["id"],
        "trashed_task_id": trashed["id"],
        "newcomer_id": newcomer.id,
        "code": room["code"],
        "asset": NOTHING["asset"],
    }


def _of_caller(person: Person) -> Names:
    elsewhere = Client(person.connection).sign_in(person.username, person.password)
    trashed = person.plan()
    _done(person.delete(f"/tasks/{trashed['id']}"), 204)
    return {
        "caller_id": person.id,
        "own_trashed_task_id": trashed["id"],
        "own_session_id": _session(elsewhere),
        "password": PASSWORD,
        "new_name": f"renamed-{secrets.token_hex(6)}",
    }


def _session(person: Person) -> str:
    return str(jwt.decode(str(person.access_token), options={"verify_signature": False})["sid"])


def _expired(person: Person) -> str:
    """A token that was good an hour ago: signed with a key that the product publishes."""
    signer = Forger()
    signer.publish()
    claims = right_claims(person)
    return signer.token({**claims, "iat": claims["iat"] - 3600, "exp": claims["exp"] - 3600})


def _with_token(person: Person, token: str) -> Client:
    return Client(person.connection, token)


def _done(response: Response, status: int) -> None:
    assert response.status == status, response


def _filled(value: Any, names: Names) -> Any:
    if isinstance(value, dict):
        return {key: _filled(each, names) for key, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, names) for each in value]
    return value.format_map(names) if isinstance(value, str) else value
