// Signing in at the platform's OpenID provider: the code flow with PKCE. In a chunk of its own.

import { InMemoryWebStorage, type User, UserManager, WebStorageStateStore } from "oidc-client-ts";
import type { Oidc } from "../util/settings";
import { renew, signIn } from "./session";

const CALLBACK = "/callback";

let manager: UserManager | null = null;

function managerOf({ issuer, clientId, scope, audience }: Oidc): UserManager {
  if (manager) return manager;
  const made = new UserManager({
    authority: issuer,
    client_id: clientId,
    scope,
    redirect_uri: location.origin + CALLBACK,
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
  made.events.addUserLoaded((user) => renew(user.access_token));
  made.events.addAccessTokenExpiring(() => void renewWith(made));
  return made;
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

export function isCallback(): boolean {
  return location.pathname === CALLBACK;
}

/** Leave for the provider; it sends the person back to the same view. */
export async function leaveToSignIn(oidc: Oidc): Promise<void> {
  await managerOf(oidc).signinRedirect({ state: location.search });
}

/** Come back from the provider: sign in, and show the view that the person left from. */
export async function comeBack(oidc: Oidc): Promise<void> {
  let user: User | undefined;
  try {
    user = await managerOf(oidc).signinCallback();
  } finally {
    const search = typeof user?.state === "string" ? user.state : "";
    history.replaceState(null, "", `/${search}`);
  }
  if (user) signIn(user.access_token, { name: user.profile.name ?? user.profile.sub });
}
