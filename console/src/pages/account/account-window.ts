import { createContext, useContext, useMemo } from "react";
import { customWindow, type Preset, presetWindow, type Window } from "../../util/window";
import { useView } from "../shared/navigation";
import { useToday } from "./use-today";

/** What is known of the account that is shown. */
export type AccountFacts = {
  id: string;
  name: string;
  currency: string;
  timeZone: string;
  /** A date in the account's own zone. */
  firstDay: string;
};

export const AccountContext = createContext<AccountFacts | null>(null);

/** Null until they have come. */
export function useFacts(): AccountFacts | null {
  return useContext(AccountContext);
}

/** For views that are shown only once they have. */
export function useAccount(): AccountFacts {
  const account = useContext(AccountContext);
  if (!account) throw new Error("no account is shown");
  return account;
}

/** The zone of all dates: the chosen one, or the account's. */
export function useZone(): string {
  const { zone } = useView();
  const facts = useFacts();
  return zone ?? facts?.timeZone ?? "UTC";
}

/** The window of the view, which every figure of a tab is of. */
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
