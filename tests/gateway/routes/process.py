"""`python -m tests.gateway.routes.process`: the private application as a process of its own."""

import sys

from gateway.observability import configure_logging
from gateway.server import serve
from gateway.settings import load_settings
from tests.gateway.routes import application

if __name__ == "__main__":
    settings = load_settings(environment="dev")
    configure_logging("info", pretty=False)
    doorman = application.Open() if "--open" in sys.argv else application.Doorman()
    sys.exit(serve(application.make_app(settings, authenticator=doorman), settings))
