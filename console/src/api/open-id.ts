// Signing in at the platform's OpenID provider (the code flow with PKCE) and out (RP-Initiated Logout
// 1.0). In a chunk of its own.

import { InMemoryWebStorage, type User, UserManager, WebStorageStateStore } from "oidc-client-ts";
import { leftUntilRenewal } from "./renewal";
import { forgetPerson, renew, signIn } from "./session";
import type { Oidc } from "./settings";

const CALLBACK = "/callback";
const SIGNED_OUT = "/signed-out";

/** The session that the provider's tokens belong to. */
let session: number | null = null;
let manager: UserManager | null = null;
let waiting: ReturnType<typeof setInterval> | undefined;

function managerOf({ issuer, clientId, scope, audience }: Oidc): UserManager {
  if (manager) return manager;
  const made = new UserManager({
    authority: issuer,
    client_id: clientId,
    scope,
    redirect_uri: location.origin + CALLBACK,
    post_logout_redirect_uri: location.origin + SIGNED_OUT,
    response_type: "code",
    // The token stays in memory. What waits for the way back (the PKCE verifier, which is of no use
    // without the code) has to outlive the redirect.
    userStore: new WebStorageStateStore({ store: new InMemoryWebStorage() }),
    stateStore: new WebStorageStateStore({ store: sessionStorage }),
    extraQueryParams: audience ? { audience } : {},
    automaticSilentRenew: false,
    monitorSession: false,
  });
  manager = made;
  made.events.addUserLoaded((user) => {
    if (session !== null) renew(session, user.access_token);
    renewInTime(made, user);
  });
  made.events.addUserUnloaded(() => clearInterval(waiting));
  return made;
}

/**
 * Renew a token some time before it ends. The library's own event comes at one distance from the end
 * for every token, however short its life. The clock is looked at, because timers stand still while a
 * machine sleeps.
 */
function renewInTime(users: UserManager, user: User): void {
  clearInterval(waiting);
  if (user.expires_in === undefined) return;
  const at = Date.now() + leftUntilRenewal(user.expires_in) * 1000;
  waiting = setInterval(() => {
    if (Date.now() < at) return;
    clearInterval(waiting);
    void renewWith(users);
  }, 1000);
}

/**
 * Renew a token where the provider gave something to renew it with. Otherwise it ends, and whoever is
 * here signs in again: a hidden frame of the provider's is what browsers no longer allow.
 */
async function renewWith(users: UserManager): Promise<void> {
  const user = await users.getUser();
  if (!user?.refresh_token) return;
  await users.signinSilent().catch(() => {
    // The gateway says so when the old one has ended.
  });
}

/** Go on with signing in or out where the provider sent the person back, or leave to sign in. */
export async function arrive(oidc: Oidc): Promise<void> {
  if (location.pathname === CALLBACK) await comeBack(oidc);
  else if (location.pathname === SIGNED_OUT) await comeBackSignedOut(oidc);
  else await leaveToSignIn(oidc);
}

/** Leave for the provider; it sends the person back to the same view. */
export async function leaveToSignIn(oidc: Oidc): Promise<void> {
  await managerOf(oidc).signinRedirect({ state: location.search });
}

/** Come back from the provider: sign in, and show the view that the person left from. */
async function comeBack(oidc: Oidc): Promise<void> {
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

/** End the provider's session too, where the person signed in there and it says how. */
export async function leaveToSignOut(): Promise<void> {
  const user = await manager?.getUser();
  if (!manager || !user) return;
  const endpoint = await manager.metadataService.getEndSessionEndpoint();
  await manager.removeUser();
  if (!endpoint) return;
  await manager.signoutRedirect({
    // Some providers find the address to come back to by the token, some by the client.
    ...(user.id_token && { id_token_hint: user.id_token }),
    extraQueryParams: user.id_token ? { client_id: manager.settings.client_id } : {},
    state: { search: location.search },
  });
}

/** Come back from the provider's sign-out, if this tab left for it: its `state` says so. */
async function comeBackSignedOut(oidc: Oidc): Promise<void> {
  let search = "";
  try {
    const answer = await managerOf(oidc).signoutCallback();
    if (!answer) return;
    const { userState } = answer as { userState?: { search?: string } };
    search = userState?.search ?? "";
    forgetPerson();
  } catch {
    // Somebody else's link, or an old one: nobody was signed out by it.
  } finally {
    history.replaceState(null, "", `/${search}`);
  }
}
