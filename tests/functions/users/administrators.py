"""People who may see and change everybody: their role is not given over the API."""

from infrastructure.admin import make_admin
from tests.support.client import Person
from tests.support.product import Product


def administrator(product: Product) -> Person:
    """Somebody new, signed in as an admin of the whole installation."""
    person = product.register("root")
    make_admin(product.aws.dynamodb, "UsersTable", person.username)
    return product.anonymous.sign_in(person.username, person.password)
