"""The plain way under Chalice's local server (``chalice local``): ``python -m bench.rivals.chalice_local PORT``.

With one difference in its favour: without Nagle's algorithm, which delays what the server writes in two pieces.
"""

import sys

from chalice.config import Config
from chalice.local import ChaliceRequestHandler, LocalDevServer

from bench.rivals.plain import app


class _Handler(ChaliceRequestHandler):
    disable_nagle_algorithm = True


if __name__ == "__main__":
    LocalDevServer(app, Config.create(), "127.0.0.1", int(sys.argv[1]), handler_cls=_Handler).serve_forever()
