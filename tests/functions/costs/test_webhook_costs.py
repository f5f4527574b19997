"""What an event costs behind the response, against the table of docs/performance.md."""

import pytest

from infrastructure.template import REPOSITORY
from tests.functions.activity.trails import FUNCTION as ACTIVITY
from tests.functions.dispatch.test_unassignment import FUNCTION as DISPATCH
from tests.functions.webhooks.hooked_room import HookedRoom
from tests.functions.webhooks.receivers import Receiver
from tests.support.product import Product
from tests.support.request_costs import RequestCosts, measured_costs

MEMBERS = 10


def _row(name: str, costs: RequestCosts, logged: str) -> list[str]:
    return [name, f"{costs.units:g}", str(costs.write_units.total()), str(len(logged.encode()))]


def _measured(product: Product, capsys: pytest.CaptureFixture[str], ordered: bool) -> list[list[str]]:
    """One change in a room of ten with one webhook, whose receiver answers at once."""
    with Receiver().listening() as receiver:
        hooked = HookedRoom(product, receiver, ordered=ordered)
        for _ in range(MEMBERS - 1):
            product.register("member").join(hooked.room)
        hooked.plan("first")
        hooked.queues.deliver()
        product.aws.deploy(LogLevel="INFO")
        hooked.ann.plan(title="Order the desks", room_id=hooked.id)
        product.deliver(to=ACTIVITY)
        capsys.readouterr()
        with measured_costs(product.aws) as of_dispatch:
            product.deliver(to=DISPATCH)
        dispatched = capsys.readouterr().out
        with measured_costs(product.aws) as of_delivery:
            hooked.queues.deliver()
        sent = capsys.readouterr().out
    assert len(receiver.requests) == MEMBERS + 1
    kind = "an ordered webhook" if ordered else "a webhook"
    return [_row(f"dispatch to {kind}", of_dispatch, dispatched), _row(f"delivery to {kind}", of_delivery, sent)]


@pytest.mark.parametrize("ordered", [False, True], ids=["unordered", "ordered"])
def test_an_event_costs_what_the_page_states(
    product: Product, capsys: pytest.CaptureFixture[str], ordered: bool
) -> None:
    page = (REPOSITORY / "docs" / "performance.md").read_text(encoding="utf-8")
    written = [[each.strip() for each in line.split("|")[1:-1]] for line in page.splitlines() if line.startswith("|")]

    measured = _measured(product, capsys, ordered)

    for row in measured:
        [found] = [each for each in written if each[0] == row[0]]
        assert found[:-1] == row[:-1], measured
        assert int(found[-1]) == pytest.approx(int(row[-1]), rel=0.05), measured
