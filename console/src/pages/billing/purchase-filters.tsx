import { filter as filterText, purchases as t } from "../../text/billing";
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
        // Back skips the texts that were typed on the way.
        onSearch={(search) => show({ search }, { replace: search !== "" && view.search !== "" })}
      />
      <Filter
        label={t.statusFilter}
        names={t.statuses}
        values={STATUSES}
        selected={view.status}
        onSelect={(status) => show({ status })}
      />
      <Filter
        label={t.kindFilter}
        names={t.kinds}
        values={KINDS}
        selected={view.kind}
        onSelect={(kind) => show({ kind })}
      />
      {(view.status.length > 0 || view.kind.length > 0) && (
        <Button
          look="bare"
          icon="close"
          disappears
          onPress={() => show({ status: [], kind: [], search: "" })}
        >
          {filterText.clearAll}
        </Button>
      )}
    </>
  );
}
