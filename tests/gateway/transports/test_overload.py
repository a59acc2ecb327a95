"""Three times the requests that the gateway can serve. Operations sleep, so that the capacity
depends little on the machine.
"""

import json
import math
from dataclasses import replace
from typing import Final

from gateway.settings import load_settings
from tests.bench.arrivals import Arrivals, Overload
from tests.bench.load import Load, measure
from tests.support import application
from tests.support.edge import ADA, Listen

PLACES: Final = 8
OWN_PLACES: Final = math.ceil(PLACES * 0.75)
"""Those that one principal may take."""
OPERATION_SECONDS: Final = 0.25
MOST: Final = OWN_PLACES / OPERATION_SECONDS
"""Good answers a second of a machine that does nothing else."""
SECONDS: Final = 4
KEPT: Final = 0.7
REFUSAL_MILLISECONDS: Final = 100
RECOVERY_SECONDS: Final = 5


async def test_three_times_the_capacity_keeps_most_of_its_rate(listen: Listen) -> None:
    settings = load_settings(environment="dev", admission_running=PLACES)
    load = Load(
        host="127.0.0.1",
        port=await listen(application.make_app(settings)),
        headers=dict(ADA),
        bodies=[json.dumps({"query": f"{{ sleep(seconds: {OPERATION_SECONDS}) }}"})],
        connections=2 * OWN_PLACES,
        seconds=SECONDS,
    )
    peak = (await measure(replace(load, seconds=4 * OPERATION_SECONDS))).rate
    assert MOST / 2 < peak <= MOST
    outcome = await Overload(Arrivals(load=load, rate=3 * MOST, peak=peak)).run()
    assert KEPT * peak <= outcome.good / SECONDS <= MOST
    # All others have a 503 with Retry-After, but for those that waited at the end.
    assert (outcome.failed, outcome.lost, outcome.unsent) == (0, 0, 0)
    assert outcome.refused == outcome.sent - outcome.good - outcome.late > MOST * SECONDS
    assert outcome.refusal_p50 < REFUSAL_MILLISECONDS
    assert outcome.recovery < RECOVERY_SECONDS
