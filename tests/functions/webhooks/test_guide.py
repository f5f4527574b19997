"""The receiver of the guide, run as it is written there."""

import re
import threading
from http.server import ThreadingHTTPServer
from typing import Any

import pytest

from infrastructure.template import REPOSITORY
from tests.functions.webhooks.hooked_room import HookedRoom
from tests.functions.webhooks.receivers import Receiver
from tests.support.product import Product

GUIDE = REPOSITORY / "docs" / "guides" / "webhooks.md"


def test_the_receiver_of_the_guide_takes_each_event_once_and_no_forged_one(
    product: Product, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    [code] = re.findall(r"```python\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL)
    names: dict[str, Any] = {"__name__": "receiver"}
    hooked = HookedRoom(product, Receiver(), url="https://hooks.example.org/")
    monkeypatch.setenv("WEBHOOK_SECRET", hooked.webhook["secret"])
    exec(compile(code, GUIDE, "exec"), names)  # noqa: S102  # the guide's own
    names["Receiver"].log_message = lambda *_: None
    server = ThreadingHTTPServer(("127.0.0.1", 0), names["Receiver"])
    server.daemon_threads = False
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()

    try:
        hooked.ann.patch(hooked.own_path, json={"url": f"http://127.0.0.1:{server.server_address[1]}/"})
        task = hooked.plan("Order the desks")
        hooked.queues.deliver()
        [delivery] = hooked.deliveries()
        hooked.ann.post(f"{hooked.own_path}/replay", json={"from": delivery["seq"], "to": delivery["seq"]})
        hooked.queues.deliver()
        [delivery] = hooked.deliveries()
        # Twice renewed, the receiver's secret signs no more.
        for _ in range(2):
            hooked.ann.post(f"{hooked.own_path}/secret")
        hooked.plan("Forged")
        hooked.queues.deliver()
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

    assert task["room_id"] == hooked.id
    assert capsys.readouterr().out == f"task.created {hooked.id}\n"
    assert [each["status"] for each in delivery["attempts"]] == [204, 204]
    assert hooked.state()["last_error"] == "status_401"
