import { usage as t } from "../../text/usage";
import { EmptyState } from "../../ui/states";
import type { UsageScope } from "./usage-scope";

/** That a scope has no usage, and what to change. */
export function NoUsage({ scope: { filters, toggle } }: { scope: UsageScope }) {
  const isFiltered = toggle !== null && Object.keys(filters).length > 0;
  return <EmptyState title={t.empty} hint={isFiltered ? t.emptyFilteredHint : t.emptyHint} />;
}
