import json
import re
from html.parser import HTMLParser

import httpx
import pytest

from gateway.settings import Settings
from tests.gateway.routes import application
from tests.gateway.routes.conftest import connect


class Page(HTMLParser):
    """Collects what the page loads and what stands in its scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.handlers: list[str] = []
        self.scripts: list[tuple[str, str]] = []
        self._script: str | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.loads += [v for k, v in attrs if k in {"src", "href"} and v]
        self.handlers += [k for k, _ in attrs if k.startswith("on") or k == "style"]
        self._script = given.get("type", "") if tag == "script" else None

    def handle_data(self, data: str) -> None:
        if self._script is not None and data.strip():
            self.scripts.append((self._script, data))


async def test_everything_comes_from_here(client: httpx.AsyncClient) -> None:
    answer = await client.get("/graphiql")
    page = Page(answer.text)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert page.loads == ["data:,", "/graphiql/graphiql.css", "/graphiql/graphiql.js"]
    assert page.handlers == []
    assert [kind for kind, _ in page.scripts] == ["application/json"]
    for path, kind in (("css", "text/css"), ("js", "text/javascript")):
        asset = await client.get(f"/graphiql/graphiql.{path}")
        assert asset.headers["content-type"] == f"{kind}; charset=utf-8"
        assert not re.search(r"https?://|innerHTML|eval\(", asset.text)


async def test_the_page_is_fenced_in(client: httpx.AsyncClient) -> None:
    policy = (await client.get("/graphiql")).headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


async def test_dev_fills_in_people_and_examples(client: httpx.AsyncClient) -> None:
    (told,) = [json.loads(text) for _, text in Page((await client.get("/graphiql")).text).scripts]
    assert told == {
        "dev": True,
        "examples": [{"name": "Who", "query": "{ who }", "variables": {"account": "$account"}}],
        "people": [
            {
                "name": "Ada </script>",
                "token": "t0k3n",
                "accounts": [{"id": "acct_1", "name": "Acme"}],
            }
        ],
    }


async def test_production_has_no_page_unless_it_is_wanted(production: httpx.AsyncClient) -> None:
    for path in ("/", "/graphiql", "/graphiql/graphiql.js"):
        assert (await production.get(path)).status_code == 404
    settings = Settings(public_url="https://billing.example", graphiql=True)
    async with connect(application.make_app(settings), base_url="https://billing.example") as open_:
        answer = await open_.get("/graphiql")
    assert answer.status_code == 200
    assert "t0k3n" not in answer.text


async def test_another_host_name_never_sees_the_tokens(client: httpx.AsyncClient) -> None:
    answer = await client.get("/graphiql", headers={"host": "evil.example"})
    assert answer.status_code == 400
    assert "t0k3n" not in answer.text


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_the_root_leads_to_the_page(client: httpx.AsyncClient, method: str) -> None:
    answer = await client.request(method, "/")
    assert (answer.status_code, answer.headers["location"]) == (307, "/graphiql")
