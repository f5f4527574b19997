"""`make admin` against the tables as the functions keep them."""

from infrastructure.admin import make_admin
from tests.support.product import Product


def test_an_admin_sees_users_without_a_shared_room(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    assert ann.get(f"/users/{bob.id}").status == 404

    make_admin(product.aws.dynamodb, "UsersTable", ann.username.upper())

    assert ann.get(f"/users/{bob.id}").status == 200


def test_the_new_role_is_a_new_version_of_the_profile(product: Product) -> None:
    ann = product.register("ann")
    before = ann.get("/users/me").json()

    make_admin(product.aws.dynamodb, "UsersTable", ann.username)

    after = ann.get("/users/me").json()
    assert after["version"] == before["version"] + 1
    assert after == before | {"role": "admin", "version": after["version"], "updated_at": after["updated_at"]}
