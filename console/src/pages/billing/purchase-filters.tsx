import { Button } from "../../ui/button";
import { text } from "../../util/text";
import { KINDS, STATUSES, show, type View } from "../view";
import { Filter } from "./filter";

const t = text.purchases;

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
