// The credential that operations are sent with, and the account of the examples. The token is kept in
// memory alone.
import { createContext, useContext, useState } from "react";
import type { Person, Settings } from "../api/settings";

type Credentials = {
  people: readonly Person[];
  person: Person | undefined;
  account: string | undefined;
  token: string;
  choosePerson(name: string): void;
  chooseAccount(id: string): void;
  setToken(token: string): void;
};

export const CredentialsContext = createContext<Credentials | null>(null);

export function useCredentials(): Credentials {
  const credentials = useContext(CredentialsContext);
  if (!credentials) throw new Error("CredentialsContext has no provider.");
  return credentials;
}

/** The credentials of the demo's first person until another is chosen; none outside dev mode. */
export function useNewCredentials({ people }: Settings): Credentials {
  const [person, setPerson] = useState(people[0]);
  const [account, setAccount] = useState(person?.accounts[0]?.id);
  const [token, setToken] = useState(person?.token ?? "");
  return {
    people,
    person,
    account,
    token,
    choosePerson(name) {
      const chosen = people.find((each) => each.name === name);
      setPerson(chosen);
      setAccount(chosen?.accounts[0]?.id);
      setToken(chosen?.token ?? "");
    },
    chooseAccount: setAccount,
    setToken,
  };
}
