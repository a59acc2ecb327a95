import { UsageDocument } from "../../api/generated/graphql";
import { useLiveLoad } from "../../api/use-live-load";
import { useAccount } from "../account/account-window";
import { useView } from "../shared/navigation";
import { SpendChart } from "./spend-chart";
import { isUsage, withUsageChanges } from "./usage-changes";
import { UsageFigures } from "./usage-figures";
import { type UsageScope, variablesOf } from "./usage-scope";
import { previousDays } from "./usage-window";

type Props = { scope: UsageScope; withFigures?: boolean };

/** The figures of a scope, and its chart. */
export function Spend({ scope, withFigures = true }: Props) {
  const { currency } = useAccount();
  const { account, window, by } = scope;
  const { previous: comparing } = useView();
  const { interval } = window;
  const previous = previousDays(window, interval);
  const variables = {
    ...variablesOf(scope),
    interval,
    by,
    comparing,
    previousFrom: previous.from,
    previousTo: previous.to,
  };
  const load = useLiveLoad(UsageDocument, variables, {
    account,
    affects: isUsage,
    patch: (send, data) => withUsageChanges(send, data, variables),
  });
  const usage = load.data?.account?.usage;
  return (
    <>
      {withFigures && (
        <UsageFigures
          usage={usage ?? (load.failure ? null : undefined)}
          isOutdated={load.previous}
        />
      )}
      <SpendChart scope={scope} load={load} currency={currency} />
    </>
  );
}
