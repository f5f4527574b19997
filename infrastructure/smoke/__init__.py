"""The check after a deployment: `make smoke`.

- ``journey.py``: whether the service serves. `make deploy` puts the version before back if it does not.
- ``gateway.py``: what the gateway answers by itself, over HTTP.
- ``live.py``: whether WebSockets open with a ticket, and get hints (``websocket.py`` is their client).
- ``resources.py``: whether stage, alarms, streams are what the template of the stack says.
- ``inspection.py``: all of these.

``docs/guides/operate.md`` says what each line means.
"""

from infrastructure.smoke.journey import Unhealthy, check

__all__ = ["Unhealthy", "check"]
