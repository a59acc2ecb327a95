import { createContext, useContext, useMemo } from "react";
import { customWindow, type Preset, presetWindow, type Window } from "../../util/window";
import { useView } from "../shared/navigation";
import { useToday } from "./use-today";

/** The facts about an account that every view needs. */
export type AccountFacts = {
  id: string;
  name: string;
  currency: string;
  timeZone: string;
  /** A date in the account's own zone. */
  firstDay: string;
};

export const AccountContext = createContext<AccountFacts | null>(null);

/** The facts of the account; null until they have loaded. */
export function useFacts(): AccountFacts | null {
  return useContext(AccountContext);
}

/** The facts of the account, for views that are shown only after they have loaded. */
export function useAccount(): AccountFacts {
  const account = useContext(AccountContext);
  if (!account) throw new Error("the account's facts have not loaded");
  return account;
}

/** The zone of all dates: the chosen one, or the account's. */
export function useZone(): string {
  const { zone } = useView();
  const facts = useFacts();
  return zone ?? facts?.timeZone ?? "UTC";
}

/** The window of days of the view, for every figure of a tab. */
export function useWindow(fallback: Preset): Window {
  const { range } = useView();
  const zone = useZone();
  const today = useToday(zone);
  return useMemo(() => {
    if (range !== null && typeof range !== "string") {
      return customWindow(range.from, range.to, zone, today);
    }
    return presetWindow(range ?? fallback, zone, today);
  }, [range, zone, fallback, today]);
}
