import { purchases as t, filter as words } from "../../text/billing";
import { Button } from "../../ui/button";
import { SearchBox } from "../../ui/search-box";
import { show } from "../shared/navigation";
import { KINDS, MAX_SEARCH, STATUSES, type View } from "../shared/view";
import { Filter } from "./filter";

export function PurchaseFilters({ view }: { view: View }) {
  return (
    <>
      <SearchBox
        label={t.search}
        clear={t.clearSearch}
        value={view.search}
        maxLength={MAX_SEARCH}
        // What was typed on the way is no step back.
        onSearch={(search) => show({ search }, { replace: search !== "" && view.search !== "" })}
      />
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
        <Button
          look="bare"
          icon="close"
          fleeting
          onPress={() => show({ status: [], kind: [], search: "" })}
        >
          {words.clearAll}
        </Button>
      )}
    </>
  );
}
