// npm's oidc-provider on loopback, as a platform would run it: a public client with PKCE, access
// tokens in the form of RFC 9068 for the gateway's audience, and a sign-in form that takes any password.
// The settings are one argument, JSON; the first line printed is the issuer.

import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { Provider } from "oidc-provider";

const { client, origin, audience, people, logout, lifetime } = JSON.parse(process.argv[2]);

const server = createServer();
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const issuer = `http://127.0.0.1:${server.address().port}`;

const page = (title, content) =>
  `<!doctype html><html lang="en"><meta charset="utf-8"><title>${title}</title><h1>${title}</h1>${content}</html>`;

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: client,
      token_endpoint_auth_method: "none",
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      redirect_uris: [`${origin}/callback`],
      post_logout_redirect_uris: [`${origin}/signed-out`],
    },
  ],
  claims: { openid: ["sub", "name"] },
  conformIdTokenClaims: false,
  cookies: { keys: [randomBytes(32).toString("hex")] },
  ttl: { AccessToken: lifetime, Grant: 86_400, IdToken: lifetime, Interaction: 600, Session: 86_400 },
  findAccount: (_context, id) =>
    id in people ? { accountId: id, claims: () => ({ sub: id, name: people[id] }) } : undefined,
  // The page is the platform's own, so nobody is asked for consent.
  async loadExistingGrant({ oidc }) {
    const known = oidc.session.grantIdFor(oidc.client.clientId);
    if (known) return await oidc.provider.Grant.find(known);
    const grant = new oidc.provider.Grant({
      accountId: oidc.session.accountId,
      clientId: oidc.client.clientId,
    });
    grant.addOIDCScope("openid offline_access");
    grant.addResourceScope(audience, "openid");
    await grant.save();
    return grant;
  },
  interactions: { url: (_context, { uid }) => `/sign-in/${uid}` },
  features: {
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => audience,
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({
        audience,
        scope: "openid",
        accessTokenTTL: lifetime,
        accessTokenFormat: "jwt",
      }),
    },
    rpInitiatedLogout: {
      enabled: logout,
      logoutSource: (context, form) => {
        const yes = '<button form="op.logoutForm" name="logout" value="yes">Yes, sign me out</button>';
        context.body = page("Sign out of the platform?", form + yes);
      },
    },
  },
});

async function body(request) {
  let text = "";
  for await (const part of request) text += part;
  return new URLSearchParams(text);
}

/** The platform's own sign-in form: whoever it names is signed in. */
async function signIn(request, response) {
  const { uid } = await provider.interactionDetails(request, response);
  const login = request.method === "POST" ? (await body(request)).get("login") : null;
  if (login !== null && login in people) {
    await provider.interactionFinished(request, response, { login: { accountId: login } });
    return;
  }
  const form =
    `<form method="post" action="/sign-in/${uid}"><label>Login <input name="login" autofocus></label>` +
    '<label>Password <input name="password" type="password"></label><button>Sign in</button></form>';
  response.writeHead(200, { "content-type": "text/html; charset=utf-8" });
  response.end(page("Sign in to the platform", form));
}

const answer = provider.callback();
server.on("request", (request, response) => {
  if (!request.url.startsWith("/sign-in/")) return answer(request, response);
  signIn(request, response).catch((error) => {
    response.writeHead(400, { "content-type": "text/plain; charset=utf-8" });
    response.end(String(error));
  });
});
console.log(issuer);
