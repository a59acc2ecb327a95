// The person who is signed in. The token is kept in this module's memory alone: a reload or another tab
// signs in again.

import type { Person } from "./settings";

/** Why the session has ended, or `new` before the first sign-in. */
export type SignedOutReason = "new" | "expired" | "refused" | "signedOut";

export type Session =
  | { state: "signed-out"; reason: SignedOutReason; person: Person | null }
  /** Each sign-in has another `id`. */
  | {
      state: "signed-in";
      id: number;
      token: string;
      name: string | null;
      /** The id by which accounts name their members; null for an API key. */
      subject: string | null;
      person: Person | null;
    };

let session: Session = { state: "signed-out", reason: "new", person: null };
let signIns = 0;
const listeners = new Set<() => void>();

function change(next: Session): void {
  session = next;
  for (const listener of listeners) listener();
}

export function currentSession(): Session {
  return session;
}

export function onSession(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Sign in, and return the new session's id. */
export function signIn(
  token: string,
  identity: { name?: string | null; subject?: string; person?: Person } = {},
): number {
  signIns += 1;
  const { name = null, subject = null, person = null } = identity;
  change({ state: "signed-in", id: signIns, token, name, subject, person });
  return signIns;
}

/** Replace the token of a session that is still the current one: nothing is loaded again. */
export function renew(id: number, token: string): void {
  if (session.state === "signed-in" && session.id === id) change({ ...session, token });
}

export function signOut(reason: SignedOutReason): void {
  if (session.state !== "signed-in") return;
  change({ state: "signed-out", reason, person: session.person });
}

export function currentSubject(): string | null {
  return session.state === "signed-in" ? session.subject : null;
}

export function currentToken(): string | null {
  return session.state === "signed-in" ? session.token : null;
}

/** Sign out, so that no person of the demo is signed in again without a choice. */
export function forgetPerson(): void {
  change({ state: "signed-out", reason: "signedOut", person: null });
}
