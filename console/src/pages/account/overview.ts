import { OverviewDocument, type OverviewQuery } from "../../api/generated/graphql";
import { useLoad } from "../../api/use-load";
import { useNewDay } from "./use-today";

export type Facts = NonNullable<OverviewQuery["account"]>;
export type Balance = Facts["balance"];

/** The facts and the balance of an account; null facts while they load, also from another account. */
export function useOverview(account: string | null) {
  const pause = account === null;
  const load = useLoad(OverviewDocument, { account: account ?? "" }, { pause });
  const { data, failure, previous, retry } = load;
  const facts = (!previous && data?.account) || null;
  // Burn rate and run-out are computed from complete days, and each midnight adds one.
  useNewDay(facts?.timeZone, retry);
  return { facts, failure, retry };
}
