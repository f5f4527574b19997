"""What the rooms table holds of rooms that are there."""

from typing import Any

from tests.support.product import Product


def of_rooms(product: Product) -> list[dict[str, Any]]:
    """Its items, without those that outlive a room: retired codes, and what is known of former members."""
    items = product.items("RoomsTable")
    return [item for item in items if item["kind"] != "former" and "expires_at" not in item]
