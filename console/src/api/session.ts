// Who is signed in. The token lives in this module's memory and nowhere else: a reload, or another
// tab, signs in anew.

import type { Person } from "./settings";

export type Session =
  | { state: "signed-out"; why: "new" | "expired" | "refused" | "left"; person: Person | null }
  /** `id` is another one each time that somebody signs in. */
  | {
      state: "signed-in";
      id: number;
      token: string;
      name: string | null;
      /** By which accounts name their members; null where an API key signed in. */
      subject: string | null;
      person: Person | null;
    };

let session: Session = { state: "signed-out", why: "new", person: null };
let signedIn = 0;
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

/** Return the new session's id. */
export function signIn(
  token: string,
  who: { name?: string | null; subject?: string; person?: Person } = {},
): number {
  signedIn += 1;
  const { name = null, subject = null, person = null } = who;
  change({ state: "signed-in", id: signedIn, token, name, subject, person });
  return signedIn;
}

/** Renew the token of a session, if that is the one that goes on: nothing is loaded again. */
export function renew(id: number, token: string): void {
  if (session.state === "signed-in" && session.id === id) change({ ...session, token });
}

export function signOut(why: "expired" | "refused" | "left"): void {
  if (session.state !== "signed-in") return;
  change({ state: "signed-out", why, person: session.person });
}

export function currentSubject(): string | null {
  return session.state === "signed-in" ? session.subject : null;
}

export function currentToken(): string | null {
  return session.state === "signed-in" ? session.token : null;
}

/** Whoever was signed in has to choose anew. */
export function forgetPerson(): void {
  change({ state: "signed-out", why: "left", person: null });
}
