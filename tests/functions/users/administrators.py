"""People who may see and change everybody: their role is not given over the API."""

from typing import Any

from infrastructure.admin import make_admin
from tests.support.client import Person
from tests.support.product import Product


def administrator(product: Product) -> Person:
    """Somebody new, signed in as an admin of the whole installation."""
    person = product.register("root")
    make_admin(product.aws.dynamodb, "UsersTable", person.username)
    return product.anonymous.sign_in(person.username, person.password)


def as_administrators_see(person: Person) -> dict[str, Any]:
    """The profile of somebody else: without who may add them to rooms, which is theirs to know."""
    return {name: value for name, value in person.get("/users/me").json().items() if name != "added_by"}
