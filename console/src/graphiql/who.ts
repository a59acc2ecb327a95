// Who asks, and about which account. The token is kept in memory alone.
import { createContext, useContext, useState } from "react";
import type { Person, Settings } from "./told";

export type Who = {
  people: readonly Person[];
  person: Person | undefined;
  account: string | undefined;
  token: string;
  choosePerson(name: string): void;
  chooseAccount(id: string): void;
  setToken(token: string): void;
};

export const WhoContext = createContext<Who | null>(null);

export function useWho(): Who {
  const who = useContext(WhoContext);
  if (!who) throw new Error("There is nobody.");
  return who;
}

export function useNewWho({ people }: Settings): Who {
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
