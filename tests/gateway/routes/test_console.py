import gzip
import json
import re
import sys
from pathlib import Path
from typing import Any

import brotli
import httpx
import pytest

from gateway.errors import ConfigurationError
from gateway.http.static_files import StaticFiles
from gateway.settings import Settings, load_settings
from tests.support import application
from tests.support.edge import BASE_URL, connect

PAGE = """<!doctype html><html><head><title>{name}</title>
<link rel="icon" type="image/svg+xml" href="/assets/icon-C0ffee.svg">
<script id="gateway-settings" type="application/json">{{}}</script>
<script type="module" src="./assets/{name}-C0ffee.js"></script></head></html>
"""
SCRIPT = "console.log('ready');" * 50
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
SETTINGS_ELEMENT = re.compile(
    r'<script id="gateway-settings" type="application/json">(.*?)</script>', re.DOTALL
)
NONCE = re.compile(r'<meta property="csp-nonce" nonce="([\w-]{20,})">')
UNBRANDED = dict.fromkeys(("platform", "logoUrl", "homeUrl", "helpUrl", "portalUrl"))
FORMATS = ["CSV", "JSONL", "FOCUS", "XLSX", "PARQUET"]
DOCUMENTS_AND_FILES = {
    "exportFormats": FORMATS,
    "issuesReceipts": True,
    "issuesStatements": True,
}
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
FOR_EVER = "public, max-age=31536000, immutable"


@pytest.fixture
def built(tmp_path: Path) -> StaticFiles:
    """The output of a build, in small."""
    for name in ("index", "graphiql"):
        (tmp_path / f"{name}.html").write_text(PAGE.format(name=name))
    assets = tmp_path / "assets"
    assets.mkdir()
    (assets / "index-C0ffee.js").write_text(SCRIPT)
    (assets / "logo-C0ffee.png").write_bytes(PNG)
    (tmp_path / "persisted-documents.json").write_text("{}")
    (tmp_path / "secret.js").write_text("secret")
    return StaticFiles(tmp_path)


def serve(
    built: StaticFiles, settings: Settings | None = None, base_url: str = BASE_URL
) -> httpx.AsyncClient:
    return connect(application.make_app(settings, files=built), base_url=base_url)


def production(**changes: Any) -> Settings:
    return load_settings(environment="production", public_url="https://billing.example", **changes)


def told(answer: httpx.Response) -> dict[str, Any]:
    (text,) = SETTINGS_ELEMENT.findall(answer.text)
    found: dict[str, Any] = json.loads(text)
    return found


def policy(answer: httpx.Response) -> dict[str, str]:
    rules = answer.headers["content-security-policy"].split("; ")
    return dict(rule.split(" ", 1) for rule in rules)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    "path", ["/", "/?tab=usage", "/callback?code=x&state=y", "/signed-out?state=y"]
)
async def test_the_page_is_served_and_never_kept(
    built: StaticFiles, path: str, method: str
) -> None:
    async with serve(built) as client:
        answer = await client.request(method, path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-dev-mode"] == "1"
    if method == "GET":
        assert "<title>index</title>" in answer.text


async def test_dev_tells_the_people_and_no_text_of_theirs_ends_the_script(
    built: StaticFiles,
) -> None:
    person = {
        "name": "Ada </script>",
        "token": "t0k3n",
        "accounts": [{"id": "acct_1", "name": "Acme"}],
    }
    async with serve(built) as client:
        for path in ("/", "/graphiql"):
            answer = await client.get(path)
            assert told(answer) == {
                "dev": True,
                "people": [person],
                "oidc": None,
                "topUpUrl": None,
                "deploymentUrl": None,
                **DOCUMENTS_AND_FILES,
                **UNBRANDED,
            }
            assert answer.text.count("</script>") == 2


async def test_production_tells_where_to_sign_in_and_nobodys_token(built: StaticFiles) -> None:
    settings = production(
        oidc_issuer="https://login.example/",
        oidc_client_id="billing",
        oidc_scope="openid billing",
        oidc_origins=("https://tokens.example",),
        jwt_audience="gateway",
        top_up_url="https://shop.example/credit?from=billing",
        deployment_url="https://cloud.example/deployments/{externalId}",
    )
    async with serve(built, settings, base_url="https://billing.example") as client:
        answer = await client.get("/")
        assert (await client.get("/graphiql")).status_code == 404
    assert told(answer) == {
        "dev": False,
        "people": [],
        "oidc": {
            "issuer": "https://login.example/",
            "clientId": "billing",
            "scope": "openid billing",
            "audience": "gateway",
        },
        "topUpUrl": "https://shop.example/credit?from=billing",
        "deploymentUrl": "https://cloud.example/deployments/{externalId}",
        **DOCUMENTS_AND_FILES,
        **UNBRANDED,
    }
    assert policy(answer)["connect-src"] == (
        "'self' ws://billing.example wss://billing.example https://login.example "
        "https://tokens.example"
    )


async def test_the_page_offers_no_format_of_a_missing_extra(
    built: StaticFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    async with serve(built) as client:
        assert told(await client.get("/"))["exportFormats"] == FORMATS[:-1]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"receipts": False}, (False, False)),
        ({"receipts": False, "statements": True}, (False, True)),
        ({"statements": False}, (True, False)),
    ],
)
async def test_the_page_knows_which_documents_are_issued(
    built: StaticFiles, settings: dict[str, bool], expected: tuple[bool, bool]
) -> None:
    async with serve(built, production(**settings), base_url="https://billing.example") as client:
        found = told(await client.get("/"))
    assert (found["issuesReceipts"], found["issuesStatements"]) == expected


async def test_the_page_is_fenced_in(built: StaticFiles) -> None:
    async with serve(built) as client:
        console, graphiql = await client.get("/"), await client.get("/graphiql")
        again = await client.get("/")
    (nonce,) = NONCE.findall(console.text)
    assert NONCE.findall(again.text) != [nonce]
    assert policy(console) == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": f"'self' 'nonce-{nonce}'",
        "img-src": "'self' data:",
        "font-src": "'self' data:",
        "worker-src": "'self'",
        "connect-src": "'self' ws://127.0.0.1:8000 wss://127.0.0.1:8000",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    assert policy(graphiql) == policy(console) | {"style-src": "'self' 'unsafe-inline'"}


async def test_an_embedding_host_can_be_allowed_for_the_page_alone(built: StaticFiles) -> None:
    ancestors = "https://cloud.example,https://*.cloud.example"
    settings = production(frame_ancestors=ancestors, graphiql=True)
    async with serve(built, settings, base_url="https://billing.example") as client:
        console, graphiql = await client.get("/"), await client.get("/graphiql")
    assert policy(console)["frame-ancestors"] == "https://cloud.example https://*.cloud.example"
    assert policy(graphiql)["frame-ancestors"] == "'none'"


async def test_a_host_name_that_is_none_never_gets_into_the_policy(built: StaticFiles) -> None:
    settings = load_settings(environment="dev", allowed_hosts="*")
    async with serve(built, settings) as client:
        answer = await client.get("/", headers={"host": "a; script-src *"})
    assert policy(answer)["connect-src"] == "'self'"
    assert policy(answer)["script-src"] == "'self'"


async def test_another_host_name_never_sees_the_tokens(built: StaticFiles) -> None:
    async with serve(built) as client:
        for path in ("/", "/graphiql"):
            answer = await client.get(path, headers={"host": "evil.example"})
            assert answer.status_code == 400
            assert "t0k3n" not in answer.text


@pytest.mark.parametrize(
    ("accepts", "compressed"),
    [
        ("gzip, deflate, br", True),
        ("*", True),
        ("br;q=1, gzip;q=0.2", True),
        ("identity", False),
        ("gzip;q=0", False),
        ("", False),
    ],
)
async def test_files_are_kept_for_ever_and_compressed(
    built: StaticFiles, accepts: str, compressed: bool
) -> None:
    async with serve(built) as client:
        request = client.build_request(
            "GET", "/assets/index-C0ffee.js", headers={"accept-encoding": accepts}
        )
        for _ in range(2):
            answer = await client.send(request, stream=True)
            content = b"".join([part async for part in answer.aiter_raw()])
            assert answer.headers["cache-control"] == FOR_EVER
            assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert set(answer.headers["vary"].lower().split(", ")) == {"accept-encoding", "origin"}
            assert answer.headers.get("content-encoding") == ("gzip" if compressed else None)
            assert int(answer.headers["content-length"]) == len(content)
            assert (gzip.decompress(content) if compressed else content).decode() == SCRIPT


@pytest.mark.parametrize(
    ("accepts", "coding"),
    [("gzip, deflate, br, zstd", "br"), ("br;q=0, gzip", "gzip"), ("identity", None)],
)
async def test_a_file_that_the_build_compressed_is_sent_so(
    built: StaticFiles, accepts: str, coding: str | None
) -> None:
    path = built.folder / "assets" / "index-C0ffee.js"
    path.with_name(f"{path.name}.br").write_bytes(brotli.compress(SCRIPT.encode()))
    async with serve(built) as client:
        answer = await client.get("/assets/index-C0ffee.js", headers={"accept-encoding": accepts})
        assert answer.headers.get("content-encoding") == coding
        assert answer.text == SCRIPT
        assert (await client.get("/assets/index-C0ffee.js.br")).status_code == 404


async def test_what_is_compressed_already_is_sent_as_it_is(built: StaticFiles) -> None:
    async with serve(built) as client:
        answer = await client.get("/assets/logo-C0ffee.png")
    assert answer.content == PNG
    assert answer.headers["content-type"] == "image/png"
    assert "content-encoding" not in answer.headers
    assert answer.headers["vary"] == "Origin"


@pytest.mark.parametrize(
    "path",
    [
        "/assets/",
        "/assets/index.js",
        "/assets/../secret.js",
        "/assets/%2e%2e/secret.js",
        "/assets/..%2fsecret.js",
        "/assets//etc/passwd",
        "/secret.js",
        "/index.html",
        "/persisted-documents.json",
    ],
)
async def test_nothing_else_is_served(built: StaticFiles, path: str) -> None:
    async with serve(built) as client:
        url = httpx.URL("http://127.0.0.1:8000").copy_with(raw_path=path.encode())
        answer = await client.get(url)
    assert answer.status_code == 404
    assert answer.headers["cache-control"] == "no-store"


async def test_a_file_of_a_build_that_is_gone_is_not_found(built: StaticFiles) -> None:
    async with serve(built) as client:
        (built.folder / "assets" / "index-C0ffee.js").unlink()
        assert (await client.get("/assets/index-C0ffee.js")).status_code == 404


async def test_the_page_is_read_only(built: StaticFiles) -> None:
    async with serve(built) as client:
        for path in ("/", "/graphiql", "/assets/index-C0ffee.js"):
            answer = await client.post(path)
            assert answer.status_code == 405
            assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD"}


async def test_without_a_build_the_gateway_says_how_to_make_one(tmp_path: Path) -> None:
    async with serve(StaticFiles(tmp_path)) as client:
        for path in ("/", "/callback", "/signed-out", "/graphiql"):
            answer = await client.get(path)
            assert answer.status_code == 404
            assert "make run" in answer.text
        assert (await client.post("/graphql", json={"query": "{ who }"})).status_code == 200


async def test_pages_can_be_switched_off(built: StaticFiles) -> None:
    async with serve(built, load_settings(environment="dev", console=False)) as client:
        answer = await client.get("/")
        assert (answer.status_code, answer.headers["location"]) == (307, "/graphiql")
    settings = load_settings(environment="dev", console=False, graphiql=False)
    async with serve(built, settings) as client:
        for path in ("/", "/callback", "/signed-out", "/graphiql", "/assets/index-C0ffee.js"):
            assert (await client.get(path)).status_code == 404


async def test_graphiql_is_away_where_only_trusted_documents_are_served(built: StaticFiles) -> None:
    async with serve(built, load_settings(environment="dev", trusted_only=True)) as client:
        assert (await client.get("/graphiql")).status_code == 404
        assert (await client.get("/")).status_code == 200


async def test_the_page_has_the_platforms_name_colour_and_links(
    built: StaticFiles, tmp_path: Path
) -> None:
    (tmp_path / "logo").write_bytes(SVG)
    settings = load_settings(
        environment="dev",
        platform_name=" <Nimbus> & Söhne ",
        platform_logo=tmp_path / "logo",
        platform_accent="#FF6600",
        home_url="https://nimbus.example",
        help_url="https://help.nimbus.example/?from=billing",
        customer_portal_url="https://billing.stripe.example/p/login/x",
    )
    async with serve(built, settings) as client:
        for name in ("index", "graphiql"):
            answer = await client.get("/" if name == "index" else "/graphiql")
            assert f"<title>{name} · &lt;Nimbus&gt; &amp; Söhne</title>" in answer.text
            brand = {key: value for key, value in told(answer).items() if key in UNBRANDED}
            logo = brand.pop("logoUrl")
            assert brand == {
                "platform": "<Nimbus> & Söhne",
                "homeUrl": "https://nimbus.example",
                "helpUrl": "https://help.nimbus.example/?from=billing",
                "portalUrl": "https://billing.stripe.example/p/login/x",
            }
            assert f'<link rel="icon" type="image/svg+xml" href="{logo}">' in answer.text
            assert answer.text.count('rel="icon"') == 1
            (nonce,) = NONCE.findall(answer.text)
            assert f'<style nonce="{nonce}">:root:root{{--accent:light-dark(#' in answer.text
            assert policy(answer)["img-src"] == "'self' data:"
        picture = await client.get(logo)
    assert picture.content == SVG
    assert picture.headers["content-type"] == "image/svg+xml"
    assert picture.headers["cache-control"] == FOR_EVER
    assert picture.headers["x-content-type-options"] == "nosniff"
    # An SVG that is opened by itself runs nothing.
    assert policy_of(picture)["default-src"] == "'none'"
    assert "sandbox" in picture.headers["content-security-policy"].split("; ")


def policy_of(answer: httpx.Response) -> dict[str, str]:
    rules = answer.headers["content-security-policy"].split("; ")
    return {name: value for name, _, value in (rule.partition(" ") for rule in rules)}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"<html></html>", "must be a PNG, JPEG or SVG file"),
        (b"\x89PNG\r\n\x1a\n" + b"x" * 262_144, "must have at most 262,144 bytes"),
        (None, "the file cannot be read"),
    ],
)
def test_a_logo_that_cannot_be_shown_is_refused(
    built: StaticFiles, tmp_path: Path, content: bytes | None, reason: str
) -> None:
    if content is not None:
        (tmp_path / "logo").write_bytes(content)
    settings = load_settings(environment="dev", platform_logo=tmp_path / "logo")
    with pytest.raises(ConfigurationError, match=f"GATEWAY_PLATFORM_LOGO: {reason}"):
        serve(built, settings)
