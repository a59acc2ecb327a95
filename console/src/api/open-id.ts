// Sign-in at the platform's OpenID provider (code flow with PKCE) and sign-out (RP-Initiated Logout 1.0).
// A chunk of its own.

import { InMemoryWebStorage, type User, UserManager, WebStorageStateStore } from "oidc-client-ts";
import { secondsUntilRenewal } from "./renewal";
import { forgetPerson, renew, signIn } from "./session";
import type { Oidc } from "./settings";

const CALLBACK = "/callback";
const SIGNED_OUT = "/signed-out";

/** The session that the provider's tokens belong to. */
let session: number | null = null;
let manager: UserManager | null = null;
let renewal: ReturnType<typeof setInterval> | undefined;

function managerOf({ issuer, clientId, scope, audience }: Oidc): UserManager {
  if (manager) return manager;
  const made = new UserManager({
    authority: issuer,
    client_id: clientId,
    scope,
    redirect_uri: location.origin + CALLBACK,
    post_logout_redirect_uri: location.origin + SIGNED_OUT,
    response_type: "code",
    // Tokens stay in memory. The state of a sign-in (the PKCE verifier, useless without the code) has to
    // survive the redirect.
    userStore: new WebStorageStateStore({ store: new InMemoryWebStorage() }),
    stateStore: new WebStorageStateStore({ store: sessionStorage }),
    extraQueryParams: audience ? { audience } : {},
    automaticSilentRenew: false,
    monitorSession: false,
  });
  manager = made;
  made.events.addUserLoaded((user) => {
    if (session !== null) renew(session, user.access_token);
    scheduleRenewal(made, user);
  });
  made.events.addUserUnloaded(() => clearInterval(renewal));
  return made;
}

/**
 * Renew a token before it ends. The library's own event has one distance from the end for every token,
 * however short its life. The clock is compared each second, because timers stop while a machine sleeps.
 */
function scheduleRenewal(users: UserManager, user: User): void {
  clearInterval(renewal);
  if (user.expires_in === undefined) return;
  const at = Date.now() + secondsUntilRenewal(user.expires_in) * 1000;
  renewal = setInterval(() => {
    if (Date.now() < at) return;
    clearInterval(renewal);
    void renewSilently(users);
  }, 1000);
}

/**
 * Renew the token with its refresh token. Without a refresh token it ends, and the person signs in again:
 * browsers no longer allow a hidden frame of the provider.
 */
async function renewSilently(users: UserManager): Promise<void> {
  const user = await users.getUser();
  if (!user?.refresh_token) return;
  await users.signinSilent().catch(() => {
    // When the old token has ended, the gateway refuses it.
  });
}

/** Complete a sign-in or sign-out that the provider redirected from, or start a sign-in. */
export async function continueSignIn(oidc: Oidc): Promise<void> {
  if (location.pathname === CALLBACK) await completeSignIn(oidc);
  else if (location.pathname === SIGNED_OUT) await completeSignOut(oidc);
  else await startSignIn(oidc);
}

/** Redirect to the provider, which redirects back to the same view. */
export async function startSignIn(oidc: Oidc): Promise<void> {
  await managerOf(oidc).signinRedirect({ state: location.search });
}

/** After the provider's redirect: sign in, and show the view from before. */
async function completeSignIn(oidc: Oidc): Promise<void> {
  let user: User | undefined;
  try {
    user = await managerOf(oidc).signinCallback();
  } finally {
    const search = typeof user?.state === "string" ? user.state : "";
    history.replaceState(null, "", `/${search}`);
  }
  if (!user) return;
  const { name, sub } = user.profile;
  session = signIn(user.access_token, { name: name ?? sub, subject: sub });
}

/** End the provider's session too, if the person signed in there and it has an endpoint for that. */
export async function startSignOut(): Promise<void> {
  const user = await manager?.getUser();
  if (!manager || !user) return;
  const endpoint = await manager.metadataService.getEndSessionEndpoint();
  await manager.removeUser();
  if (!endpoint) return;
  await manager.signoutRedirect({
    // Some providers find the address to redirect to by the token, some by the client.
    ...(user.id_token && { id_token_hint: user.id_token }),
    extraQueryParams: user.id_token ? { client_id: manager.settings.client_id } : {},
    state: { search: location.search },
  });
}

/** After the redirect of a sign-out that this tab started, which its `state` proves. */
async function completeSignOut(oidc: Oidc): Promise<void> {
  let search = "";
  try {
    const response = await managerOf(oidc).signoutCallback();
    if (!response) return;
    const { userState } = response as { userState?: { search?: string } };
    search = userState?.search ?? "";
    forgetPerson();
  } catch {
    // A link from elsewhere, or an old one: there is no sign-out to complete.
  } finally {
    history.replaceState(null, "", `/${search}`);
  }
}
