"""`make reset-password` against the tables as the functions keep them."""

from infrastructure.reset_password import issue
from tests.support.product import Product


def test_only_a_digest_is_stored(product: Product) -> None:
    ann = product.register("ann")

    _, token = issue(product.aws.dynamodb, "UsersTable", ann.username)

    assert token.partition(".")[2] not in repr(product.items("UsersTable"))
