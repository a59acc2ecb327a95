"""The metrics of jobs and loops are served."""

from pathlib import Path

import httpx
from pydantic import SecretStr

from gateway.app import create_app
from gateway.settings import load_settings
from gateway.store import Database
from gateway.work.jobs import Unrecoverable
from tests.support.edge import BASE_URL
from tests.support.jobs import NOTE, Notes, defer, eventually, worker


async def test_a_dead_job_and_the_loops_are_counted(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    notes = Notes(failing={"dies": Unrecoverable("No such address.")})
    await defer(database, "dies")
    running = worker(database, notes.tasks())
    async with running.running():
        await eventually(lambda: running.finished.get((NOTE.name, "dead")) == 1)
    settings = load_settings(
        environment="dev", database_url=SecretStr(database_url), data_dir=tmp_path
    )
    app = create_app(settings)
    read = app.state.metrics.registry.get_sample_value
    transport = httpx.ASGITransport(app, client=("127.0.0.1", 1))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url=BASE_URL) as client,
    ):
        await eventually(lambda: read("gateway_jobs_dead") == 1)
        text = (await client.get("/metrics")).text
    assert "gateway_jobs_due 0.0" in text
    assert "gateway_jobs_running 0.0" in text
    assert "gateway_jobs_oldest_due_seconds 0.0" in text
    for loop in ("work.look", "work.count", "api_keys.write_use"):
        assert (read("gateway_loop_steps_total", {"loop": loop, "outcome": "done"}) or 0) >= 1, loop
