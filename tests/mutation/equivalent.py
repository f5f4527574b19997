"""Mutants that cannot change what the product does, because something else in the same transaction implies them."""

import fnmatch

from tests.mutation.conditions import Mutant

EQUIVALENT = [
    # operation: verb kind if condition · change · what implies it
    (
        "RoomChanges.* ConditionCheck membership *",
        "without join_id = ?",
        "the role decides; one who came back with it may go on",
    ),
    (
        "SubscriptionsRepository.* ConditionCheck membership *",
        "without join_id = ?",
        "the role decides; one who came back with it may go on",
    ),
    ("*", "begun = ? with <=", "attempts that were begun only become more"),
    ("*", "dispatched = ? with <=", "what is dispatched of a log only goes on"),
    ("*", "next = ? with <=", "a replay only goes on"),
    ("WebhooksRepository.pause: *", "pauses = ? with <=", "pauses become fewer only with the failures"),
    ("*", "wanted = ? with <=", "what an ordered webhook wants only becomes more"),
    ("WebhooksRepository.want: *", "wanted < ? with <=", "to want the same once more changes nothing"),
    (
        "WebhooksRepository.*: Update webhook *",
        "cursor = ? with >=",
        "nobody else moves it on: whoever does has seized the webhook",
    ),
    ("SubscriptionsRepository.resume: *", "cursor = ? with <=", "only an admin sets it back, who changes updated_at"),
    (
        "*: Update webhook if *busy_until = ?*",
        "without state = ?",
        "whoever stops an ordered webhook ends its lease, or its waiting",
    ),
    (
        "SubscriptionsRepository.resume: Update webhook if *busy_until = ?",
        "*cursor = ?*",
        "nobody moves it on while it waits, and only an admin sets it back, who changes updated_at",
    ),
    (
        "SubscriptionsRepository.create: Update state of webhooks *",
        "webhooks = ? with <=",
        "where there are fewer by now, there is a place for one more",
    ),
    (
        "SubscriptionsRepository.delete: Update state of webhooks *",
        "webhooks = ? with >=",
        "where there are more by now, one of them stays",
    ),
    (
        "SubscriptionsRepository.delete: Delete state of webhooks *",
        "webhooks = ? with <=",
        "a room with fewer than one has no state",
    ),
    ("RoomChanges.change_role: Update membership *", "without join_id = ?", "one who came back is given the role, too"),
    ("RoomChanges.close: Delete membership *", "without join_id = ?", "one who came back is out, too"),
    (
        "RoomsRepository.leave*: Delete membership *",
        "without join_id = ?",
        "one who is being deleted comes back nowhere",
    ),
    ("*", "version = ? with <=", "I6: versions only rise"),
    ("*", "revision = ? with <=", "I6: revisions only rise"),
    ("*", "seq = ? with <=", "the head of a log only goes on"),
    ("ChangeLogRepository.mark: *", "seq < ? with <=", "the marker after an entry is the same, whoever writes it"),
    ("*", "step = ? with <=", "steps of a respread only rise"),
    ("*", "token_epoch = ? with <=", "epochs only rise"),
    (
        "SessionChanges.*: Update session *",
        "epoch = ? with >=",
        "an epoch that a session has is one that its user has, which is checked",
    ),
    (
        "*: Put idempotency record *",
        "*with one more",
        "one that is in force is found before, one put meanwhile is so for a day",
    ),
    (
        "*: Update room *",
        "without member_count >= [12]",
        "I1, I2: there are the memberships that this transaction checks, and an admin",
    ),
    (
        "*: Update room *",
        "member_count >= [12] with one less",
        "I1, I2: there are the memberships that this transaction checks, and an admin",
    ),
    ("RoomChanges.change_role: Update room *", "member_count >= 1 with >", "as many admins as that, or I2"),
    ("*: Update room *", "member_count = ? with <=", "I1: there is a membership, checked in this transaction"),
    ("RoomsRepository.leave_to: Update room *", "admin_count = ? with <=", "I2: an admin while there are members"),
    (
        "RoomChanges.create: Put membership *",
        "removed",
        "I3: there is none in a room that does not exist, which is checked",
    ),
    ("RoomChanges.change_code: Update code *", "removed", "I5: the room has this code, by its version"),
    ("UserChanges.change_profile: Delete * claim *", "removed", "I5: the user has this name, by their version"),
    (
        "RoomsRepository.delete_dead: Delete room *",
        "member_count = ? with [<>]=",
        "I7: what was read as dead stays dead",
    ),
    (
        "RoomsRepository.delete_dead: Update code *",
        "removed",
        "I5: a room that is still there, which is checked, has its claim",
    ),
    ("UsersRepository.erase: Delete user *", "removed", "nobody comes back from being deleted, and ids are used once"),
]


def claims(mutant: Mutant) -> list[tuple[str, str, str]]:
    """What is said of this mutant."""
    return [
        (condition, change, reason)
        for condition, change, reason in EQUIVALENT
        if fnmatch.fnmatchcase(str(mutant.condition), condition.replace("?", "[?]"))
        and fnmatch.fnmatchcase(mutant.change, change.replace("?", "[?]"))
    ]


def reason_for(mutant: Mutant) -> str | None:
    """Why this mutant is none; None if nobody has said so."""
    found = claims(mutant)
    return found[0][2] if found else None
