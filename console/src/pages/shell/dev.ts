// The people of the demo. One is signed in at once, and another can be chosen. The name is stored for as
// long as the tab is open, a token never.

import { signIn } from "../../api/session";
import type { Person } from "../../api/settings";

const CHOSEN = "dev-person";

/** The chosen person, or the first. */
export function currentPerson(people: readonly Person[]): Person | undefined {
  const name = sessionStorage.getItem(CHOSEN);
  return people.find((person) => person.name === name) ?? people[0];
}

export function signInAs(person: Person): void {
  sessionStorage.setItem(CHOSEN, person.name);
  signIn(person.token, { name: person.name, person });
}
