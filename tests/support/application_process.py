"""`python -m tests.support.application_process`: the private application as its own process."""

import sys

from gateway.observability.logs import configure_logging
from gateway.server.process import serve
from gateway.settings import load_settings
from tests.support import application

if __name__ == "__main__":
    settings = load_settings(environment="dev")
    configure_logging("info", pretty=False)
    authenticator = application.AnyCaller() if "--open" in sys.argv else application.FixedTokens()
    sys.exit(serve(application.make_app(settings, authenticator=authenticator), settings))
