import { purchases as t } from "../../text/billing";
import { text } from "../../text/shell";
import { Button } from "../../ui/button";
import { KINDS, STATUSES, show, type View } from "../view";
import { Filter } from "./filter";

export function PurchaseFilters({ view }: { view: View }) {
  return (
    <>
      <Filter
        label={t.statusFilter}
        names={t.statuses}
        values={STATUSES}
        picked={view.status}
        onPick={(status) => show({ status })}
      />
      <Filter
        label={t.kindFilter}
        names={t.kinds}
        values={KINDS}
        picked={view.kind}
        onPick={(kind) => show({ kind })}
      />
      {(view.status.length > 0 || view.kind.length > 0) && (
        <Button look="bare" icon="close" fleeting onPress={() => show({ status: [], kind: [] })}>
          {text.filter.clearAll}
        </Button>
      )}
    </>
  );
}
