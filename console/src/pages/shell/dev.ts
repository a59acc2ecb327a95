// The demo's people: one is signed in at once, and another can be chosen. A name is remembered for
// as long as the tab is open, a token never.

import { signIn } from "../../api/session";
import type { Person } from "../../api/settings";

const CHOSEN = "dev-person";

export function personNow(people: readonly Person[]): Person | undefined {
  const name = sessionStorage.getItem(CHOSEN);
  return people.find((person) => person.name === name) ?? people[0];
}

export function signInAs(person: Person): void {
  sessionStorage.setItem(CHOSEN, person.name);
  signIn(person.token, { name: person.name, person });
}
