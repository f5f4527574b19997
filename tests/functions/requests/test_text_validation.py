"""Texts of people: what is kept of them, and what is refused, on every route that takes any.

Bytes are sent here as clients send them. The gateway puts U+FFFD in the place of what is no UTF-8.
"""

import itertools
import json
import re
import unicodedata
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import msgspec

from tests.layers.http import calls
from tests.support import builders, tables
from tests.support.client import Person, Response
from tests.support.gateway import load_handler
from tests.support.problems import field_errors, problem
from tests.support.product import Product

JSON = {"Content-Type": "application/json"}
LATIN_1 = "caf\xe9".encode("latin-1")

HONEST = [
    "Ann-Marie O'Neil",
    "Émile Straße",
    "李小龍",
    "山田\u3000太郎",
    "한국어",
    "Lê Thị Hồng Gấm",
    "สมชาย",
    "بِسْمِ",
    "עִבְרִית",
    "नमस्ते",
    "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",  # Persian: letters that do not join
    "क्\u200cष",  # Hindi: a virama that is shown
    "ශ්\u200dරී",  # Sinhala: a conjunct
    "র\u200d্যাব",  # Bengali: ra that keeps its form
    "👩🏽\u200d🚀 and 🏳️\u200d🌈",
    "❤️\u200d🔥 1️⃣ ☀️",
    "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",  # England's flag
]
DECEPTIVE = {
    "zero width space": "a\u200bnn",
    "soft hyphen": "a\u00adnn",
    "word joiner": "a\u2060nn",
    "byte order mark": "\ufeffann",
    "right-to-left override": "\u202enna",
    "isolate": "a\u2066nn",
    "direction mark": "ann\u200e",
    "joiner between Latin letters": "a\u200dnn",
    "non-joiner at the end": "می\u200c",
    "non-joiner after a letter that does not join": "\u0627\u200c\u0628",
    "joiner between an emoji and a letter": "👩\u200da",
    "joiner at the end": "👩\u200d",
    "two joiners": "👩\u200d\u200d🚀",
    "variation selector": "a\ufe0fnn",
    "ideographic variation selector": "葛\U000e0100",
    "tags": "🏴\U000e0067\U000e0067\U000e007f",
    "Hangul filler": "\u3164",
    "half-width Hangul filler": "ann\uffa0",
    "Hangul choseong filler": "\u115f",
    "braille blank": "\u2800",
    "Khmer inherent vowel": "ក\u17b4",
    "grapheme joiner": "a\u034fnn",
    "object replacement": "\ufffc",
    "musical null notehead": "\U0001d159",
    "private use": "ann\ue000",
    "private use of another plane": "ann\U00100000",
    "unassigned": "ann\u0378",
    "non-character": "ann\ufdd0",
    "last of a plane": "ann\U0001ffff",
    "line separator": "a\u2028nn",
    "Ogham space": "a\u1680nn",
    "NUL": "a\0nn",
    "tab": "a\tnn",
    "DEL": "ann\x7f",
    "C1": "ann\x9b",
    "a mark alone": "\u0301",
    "a mark at the beginning": "\u0301ann",
    "the same mark twice": "e\u0301\u0301",
    "five marks": "a\u0316\u0317\u0318\u0319\u031c",
}
INVISIBLE = ["\u200b", "\u200e\u202e", "\ufeff", "\u3164", "\u2800", "\u00a0\u2003", " \n\t", "\u0301", "\U000e0041"]
CONTROLS = ["\0", "\x01", "\x08", "\x0b", "\x0c", "\r", "\x1b", "\x1f", "\x7f", "\x85", "\x9b", "\ufdd0", "\U0010ffff"]


class Scene:
    """Ann's room with Bob in it and a task, so that every route finds what its path names."""

    def __init__(self, product: Product) -> None:
        self.ann, bob = product.register("ann"), product.register("bob")
        room = self.ann.open_room()
        bob.join(room)
        task = self.ann.plan(room_id=room["id"])
        self._ids = {"room_id": room["id"], "task_id": task["id"]}
        self._bob = bob.id

    def call(self, route: calls.Route, **options: Any) -> Response:
        method, path = route
        ids = {"user_id": self._bob if path.startswith("/rooms") else "me", **self._ids}
        return self.ann.request(method, re.sub(r"\{(\w+)\}", lambda name: ids.get(name[1], "x"), path), **options)


def _schemas(product: Product) -> dict[calls.Route, tuple[Any, Any]]:
    """By route, the schemas of its body and of its query."""
    found = {}
    for properties in product.aws.stack.functions.values():
        module, _, handler = properties["Handler"].rpartition(".")
        if handler == "app":
            api = load_handler(f"{module}.api")
            found.update({(route.method, route.path): (route.body, route.query) for route in api.routes})
    return found


def _names(schema: Any) -> list[str]:
    return [field.encode_name for field in msgspec.structs.fields(schema)]


def _lists(schema: Any) -> set[str]:
    return {field.encode_name for field in msgspec.structs.fields(schema) if field.default == ()}


def _rename(person: Person, name: str) -> Response:
    return person.patch("/users/me", json={"username": name})


# ------------------------------------------------------------------------------------------------- what is no UTF-8
def test_invalid_utf_8_is_refused_in_every_field_of_every_route(product: Product) -> None:
    scene = Scene(product)
    text = b'"' + LATIN_1 + b'"'
    asked = 0

    for route, (body, _) in _schemas(product).items():
        names = [] if body is None else _names(body)
        values = {name: b"[" + text + b"]" if name in _lists(body) else text for name in names}
        content = b"{" + b", ".join(b'"%s": %s' % (name.encode(), value) for name, value in values.items()) + b"}"
        if not names:
            continue
        response = scene.call(route, content=content, headers=JSON)
        asked += 1
        if route == ("POST", "/auth/login"):
            continue  # below
        assert field_errors(response) == {f"/{name}": "invalid_characters" for name in names}, route

    assert asked > 15


def test_invalid_utf_8_is_refused_in_field_names(product: Product) -> None:
    scene = Scene(product)

    for route, (body, _) in _schemas(product).items():
        if body is not None:
            response = scene.call(route, content=b'{"' + LATIN_1 + b'": 1}', headers=JSON)
            assert field_errors(response)["/caf\ufffd"] == "invalid_characters", route


def test_invalid_utf_8_is_refused_in_every_parameter(product: Product) -> None:
    scene = Scene(product)

    for route, (_, query) in _schemas(product).items():
        if names := _names(query):
            parameters = "&".join(f"{name}=caf%E9" for name in names)
            method, path = route
            response = scene.call((method, f"{path}?{parameters}"))
            assert field_errors(response, 400) == {f"/{name}": "invalid_characters" for name in names}, route


def test_passwords_of_invalid_utf_8_are_never_equal(product: Product) -> None:
    one, other = (f"{letter} is how this one begins".encode("latin-1") for letter in ("é", "Ö"))

    def send(path: str, password: bytes) -> Response:
        content = b'{"username": "emile", "password": "%s"}' % password
        return product.anonymous.post(path, content=content, headers=JSON)

    assert field_errors(send("/auth/register", one)) == {"/password": "invalid_characters"}
    assert field_errors(send("/users", one)) == {"/password": "invalid_characters"}
    assert product.items("UsersTable") == []
    # Somebody who registered so before, and knows what the gateway makes of it.
    product.register(username="emile", password="x is how this one begins")
    problem(send("/auth/login", other), 401, "invalid_credentials")


def test_a_sign_in_with_invalid_utf_8_reveals_nothing(product: Product) -> None:
    product.register(username="ann", password=builders.PASSWORD)

    refusals = []
    for username, password in ((LATIN_1, b"x"), (b"ann", LATIN_1), (b"nobody", b"x")):
        content = b'{"username": "%s", "password": "%s"}' % (username, password)
        refusals.append(product.anonymous.post("/auth/login", content=content, headers=JSON).told())

    assert refusals[0][0] == 401
    assert refusals == [refusals[0]] * 3


def test_a_body_in_another_charset_is_refused_on_every_route(product: Product) -> None:
    scene = Scene(product)
    charsets = itertools.cycle(["iso-8859-1", "utf-16", '"ISO-8859-1"', "us-ascii", ""])

    for route, (body, _) in _schemas(product).items():
        if body is not None:
            headers = {"Content-Type": f"application/json; charset={next(charsets)}"}
            problem(scene.call(route, content="{}", headers=headers), 415, "not_utf8")


def test_utf_8_may_be_named_as_the_charset(product: Product) -> None:
    ann = product.register("ann")

    for parameters in ("; charset=utf-8", ';charset="UTF-8"', "; version=1; Charset=Utf-8", ";"):
        headers = {"Content-Type": f"application/json{parameters}"}
        assert ann.post("/tasks", content='{"title": "\u00e9"}', headers=headers).json()["title"] == "é"


# ------------------------------------------------------------------------------------------------------------ names
def test_names_of_all_scripts_are_accepted(product: Product) -> None:
    ann = product.register("ann")
    room = ann.open_room()

    for name in HONEST:
        assert _rename(ann, name).json()["username"] == name
        assert ann.patch(f"/rooms/{room['id']}", json={"name": name}).json()["name"] == name


def test_deceptive_names_are_refused(product: Product) -> None:
    ann = product.register("ann")
    room = ann.open_room()
    sends: list[Callable[[str], Response]] = [
        lambda name: _rename(ann, name),
        lambda name: ann.post("/rooms", json={"name": name}),
        lambda name: ann.put(f"/rooms/{room['id']}", json={"name": name}),
    ]
    ways = itertools.cycle(sends)

    # Each in two of the ways: what is looked at does not depend on them.
    for what, name in [*DECEPTIVE.items()] * 2:
        assert list(field_errors(next(ways)(name)).values()) == ["invalid_characters"], what
    assert ann.get("/users/me").json()["version"] == 1
    assert [each["version"] for each in ann.list("/rooms")] == [1]


def test_deceptive_names_are_refused_at_registration(product: Product) -> None:
    for path in ("/auth/register", "/users"):
        body = {"username": "an\u202en", "email": "a\u200bnn@example.org", "password": builders.PASSWORD}
        expected = {"/username": "invalid_characters", "/email": "invalid_characters"}
        assert field_errors(product.anonymous.post(path, json=body)) == expected


def test_white_space_does_not_distinguish_usernames(product: Product) -> None:
    ann = product.register("ann")

    for name in ("ann  bee", " ann", "ann ", "ann\u3000 bee", "\u00a0ann"):
        assert field_errors(_rename(ann, name)) == {"/username": "bad_format"}


def test_names_are_stored_composed_and_measured_composed(product: Product) -> None:
    ann = product.register("ann")
    decomposed = "e\u0301" * 80

    assert _rename(ann, decomposed).json()["username"] == "é" * 80
    assert product.anonymous.sign_in(decomposed, ann.password).id == ann.id
    assert product.anonymous.sign_in("É" * 80, ann.password).id == ann.id
    assert field_errors(_rename(ann, "e\u0301" * 81)) == {"/username": "too_long"}
    # A character that is two in NFC.
    assert field_errors(_rename(ann, "\U0001d15f" * 41)) == {"/username": "too_long"}


def test_names_too_long_for_a_key_are_refused_on_every_route(product: Product) -> None:
    ann = product.register("ann")

    # The last two would fit into a key of DynamoDB.
    for name in ("\ufdfa" * 63, "\ufdfa" * 80, "\ufdfa" * 5, "ß" * 41):
        email = f"{name * 50}"[:200] + "@example.org"
        registration = {"username": name, "email": email, "password": builders.PASSWORD}
        for path in ("/auth/register", "/users"):
            expected = {"/username": "too_long", "/email": "too_long"}
            assert field_errors(product.anonymous.post(path, json=registration)) == expected
        for send, (field, value) in itertools.product((ann.patch, ann.put), (("username", name), ("email", email))):
            assert field_errors(send("/users/me", json={field: value})) == {f"/{field}": "too_long"}
        for field, value in (("username", name), ("email", email)):
            response = product.anonymous.post("/auth/login", json={field: value, "password": "x"})
            assert response.status == 401 or field_errors(response) == {f"/{field}": "too_long"}, response


def test_texts_at_their_limits_cause_no_internal_error(product: Product) -> None:
    ann = product.register("ann")
    room = ann.open_room()
    characters = ["e\u0301", "\u0390", "\u0958", "\ufdfa", "👩"]

    for number, (text, length) in enumerate(itertools.product(characters, (80, 254, 10_000))):
        long = (text * length)[:length]
        product.gateway.source_ip = f"192.0.2.{number}"
        responses = [
            _rename(ann, long),
            ann.patch("/users/me", json={"email": f"{long[:-12]}@example.org"}),
            product.anonymous.post("/auth/login", json={"username": long, "password": long}),
            product.anonymous.post("/auth/login", json={"email": f"{long[:-12]}@example.org", "password": long}),
            ann.patch(f"/rooms/{room['id']}", json={"name": long}),
            ann.post("/tasks", json={"title": long, "description": long}),
        ]
        assert [response for response in responses if response.status >= 500] == []


# ------------------------------------------------------------------------------------------ titles and descriptions
def test_a_title_has_a_visible_character(product: Product) -> None:
    ann = product.register("ann")
    task = ann.plan()

    for title in INVISIBLE:
        assert field_errors(ann.post("/tasks", json={"title": title})) == {"/title": "bad_format"}, ascii(title)
        assert field_errors(ann.patch(f"/tasks/{task['id']}", json={"title": title})) == {"/title": "bad_format"}
    for title in ("\u200bDesks", "\ue000", "\u0378", "🏳️\u200d🌈", "\u202eskseD"):
        assert ann.plan(title=title)["title"] == title


def test_control_characters_are_refused_in_all_texts(product: Product) -> None:
    ann = product.register("ann")
    task = ann.plan()

    for control in CONTROLS:
        body = {"title": f"Desks{control}", "description": f"{control}Twelve"}
        expected = {"/title": "invalid_characters", "/description": "invalid_characters"}
        for response in (ann.post("/tasks", json=body), ann.put(f"/tasks/{task['id']}", json=body)):
            assert field_errors(response) == expected, ascii(control)
    assert ann.list("/tasks") == [task]


def test_texts_are_stored_composed_with_line_feeds(product: Product) -> None:
    ann = product.register("ann")

    task = ann.plan(title="Cafe\u0301\r\ntwice", description="One\r\ntwo\n\tthree\r\n")

    assert (task["title"], task["description"]) == ("Café\ntwice", "One\ntwo\n\tthree\n")


def test_lengths_are_those_of_the_stored_text(product: Product) -> None:
    ann = product.register("ann")

    task = ann.plan(title="e\u0301" * 255, description="a\r\n" * 5_000)

    assert (len(task["title"]), len(task["description"])) == (255, 10_000)
    response = ann.post("/tasks", json={"title": "e\u0301" * 256, "description": "a\r\n" * 5_001})
    assert field_errors(response) == {"/title": "too_long", "/description": "too_long"}
    # Two in NFC each.
    assert field_errors(ann.post("/tasks", json={"title": "\U0001d15f" * 128})) == {"/title": "too_long"}


def test_the_longest_texts_fit_in_a_body_in_any_encoding(product: Product) -> None:
    ann = product.register("ann")
    body = {"title": "\N{GRINNING FACE}" * 255, "description": "\N{GRINNING FACE}" * 10_000}
    content = json.dumps(body)
    assert len(content) > 64 * 1024

    task = ann.post("/tasks", content=content, headers=JSON)

    assert task.status == 201, task
    assert ann.get(f"/tasks/{task.json()['id']}").json() | body == task.json()
    assert len(body["title"].encode()) <= 1024
    assert len(body["description"].encode()) <= 40_000


def test_combining_marks_that_take_long_to_sort_are_refused(product: Product) -> None:
    piled_up = "a" + "\u0301\u0323" * 4_999

    response = product.register("ann").post("/tasks", json={"title": "Zalgo", "description": piled_up})

    assert field_errors(response) == {"/description": "invalid_characters"}


# -------------------------------------------------------------------------------------------------- paths and headers
def test_no_path_or_header_causes_an_internal_error(product: Product) -> None:
    ann = product.register("ann")
    texts = ["\ufdfa" * 100, "\xff" * 500, "a" * 101, "a" * 3_000, "%00", "%FF%FE", "%F0%9F%98%80", "..."]
    turns = itertools.cycle(texts)
    names = ("User-Agent", "Idempotency-Key", "If-Match", "If-None-Match", "Origin", "Accept-Language", "Cookie")

    for route in calls.WITH_IDS:
        an_id = quote(next(turns), safe="%")
        assert calls.call(ann, route, an_id, json={}).status in (404, 422), route
    for text in texts:
        headers = dict.fromkeys(names, text)
        registration = {**builders.person(), "password": "too short"}
        responses = [
            ann.post("/tasks", json=builders.task(), headers=headers),
            ann.get("/tasks", headers=headers),
            product.anonymous.post("/auth/login", json={"username": ann.username, "password": "x"}, headers=headers),
            product.anonymous.post("/auth/register", json=registration, headers=headers),
        ]
        assert [response for response in responses if response.status >= 500] == []


def test_any_user_agent_is_stored_truncated(product: Product) -> None:
    ann = product.register("ann")
    headers = {"User-Agent": "\xe9" * 500}

    product.anonymous.post("/auth/login", json={"username": ann.username, "password": ann.password}, headers=headers)

    assert [len(session["user_agent"]) for session in ann.list("/auth/sessions")][-1] == 255


# ------------------------------------------------------------------------------------------- from before all of this
def test_older_stored_texts_can_be_read_and_other_fields_changed(product: Product) -> None:
    scene = Scene(product)
    ann, old = scene.ann, "\0\u202e\ufffd e\u0301"
    room = ann.list("/rooms")[0]
    task = ann.plan(room_id=room["id"])
    [item] = [each for each in product.items("TasksTableV2") if str(task["id"]) in map(str, each.values())]
    key = {name: item[name] for name in _key(product, "TasksTableV2")}
    tables.change(product.aws, "TasksTableV2", key, title=old, description=f"{old}\r\n")
    tables.change(product.aws, "RoomsTable", {"room_id": room["id"], "item": "ROOM"}, name=old)

    seen = ann.get(f"/tasks/{task['id']}").json()
    assert (seen["title"], seen["description"]) == (old, f"{old}\r\n")
    sent = {name: seen[name] for name in ("title", "description", "priority", "deadline", "user_id")}
    changed = ann.put(f"/tasks/{task['id']}", json={**sent, "status": "completed"}, of_old=True)

    assert changed.json()["title"] == old, changed
    assert (changed.json()["description"], changed.json()["status"]) == (f"{old}\r\n", "completed")
    assert ann.patch(f"/tasks/{task['id']}", json=sent, of_old=True).json()["version"] == 2
    found = field_errors(ann.patch(f"/tasks/{task['id']}", json={"title": f"{old}!", "description": f"{old}!"}))
    assert found == {"/title": "invalid_characters", "/description": "invalid_characters"}
    assert ann.patch(f"/rooms/{room['id']}", json={"name": old}, of_old=True).json()["version"] == room["version"]
    assert field_errors(ann.patch(f"/rooms/{room['id']}", json={"name": f"{old}!"})) == {"/name": "invalid_characters"}


def test_a_user_with_an_older_name_signs_in_and_changes_it(product: Product) -> None:
    for old in ("a\u200bnn  \u3164", "\ufdfa" * 5, "ß" * 80, "\u0958" * 80):
        ann = product.register("ann", email=None)
        _call_so(product, ann, old)
        password = {"password": ann.password}

        again = product.anonymous.post("/auth/login", json={"username": old, **password}, of_old=True)
        body = {"username": old, "email": f"{ann.username}@example.org"}
        kept = ann.patch("/users/me", json=body, of_old=True)

        assert (again.json()["user"]["id"], again.json()["user"]["username"]) == (ann.id, old)
        assert kept.json() | body == kept.json()
        assert _rename(ann, f"new-{ann.username}").json()["username"] == f"new-{ann.username}"
        assert product.anonymous.post("/auth/login", json={"username": old, **password}).status == 401


def _call_so(product: Product, person: Person, username: str) -> None:
    """Give somebody a name past the checks, as if it were from before them."""
    claim = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", username).casefold())
    tables.change(product.aws, "UsersTable", {"user_id": person.id}, username=username)
    tables.put(product.aws, "UsersTable", user_id=f"NAME#{claim}", kind="claim", owner=person.id)


def _key(product: Product, table: str) -> list[str]:
    return [part["AttributeName"] for part in product.aws.stack.resources[table]["Properties"]["KeySchema"]]


# ---------------------------------------------------------------------------------------------------- many mistakes
def test_a_response_is_short_however_many_errors_there_are(product: Product) -> None:
    scene = Scene(product)
    many = {f"{'~' * 90}{number}": 1 for number in range(1_000)}
    long = {"x" * 100_000: 1, "x" * 100_001: 1}

    for route, (body, _) in _schemas(product).items():
        if body is not None:
            response = scene.call(route, json=many)
            assert len(problem(response, 422)["errors"]) == 50, route
            assert len(response.text) < 20_000
            assert len(scene.call(route, json=long).text) < 2_000, route


def test_of_many_errors_those_in_known_fields_are_named(product: Product) -> None:
    response = product.register("ann").post(
        "/tasks", json={**{str(number): 1 for number in range(60)}, "title": 7, "status": "x"}
    )

    pointers = [fault["pointer"] for fault in problem(response, 422)["errors"]]
    assert {"/title", "/status"} <= {*pointers}
    assert "50" in response.json()["detail"]
