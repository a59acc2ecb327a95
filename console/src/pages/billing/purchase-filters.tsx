import { Button } from "../../ui/button";
import { PickList } from "../../ui/pick-list";
import { text } from "../../util/text";
import { KINDS, STATUSES, show, type View } from "../view";

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

type FilterProps<Value extends string> = {
  label: string;
  names: Record<Value, string>;
  values: readonly Value[];
  picked: readonly Value[];
  onPick: (values: Value[]) => void;
};

function Filter<Value extends string>(props: FilterProps<Value>) {
  const { label, names, values, picked, onPick } = props;
  const [only, ...more] = picked;
  const shown = only && (more.length === 0 ? names[only] : text.filter.some(picked.length));
  return (
    <PickList
      many
      label={label}
      shown={
        <>
          <span aria-hidden="true">{label}</span>
          {shown ? (
            <span className="picked">{shown}</span>
          ) : (
            <span className="hidden">{text.filter.any}</span>
          )}
        </>
      }
      choices={values.map((id) => ({ id, label: names[id] }))}
      picked={picked}
      onPick={(ids) => onPick(values.filter((each) => ids.includes(each)))}
      clear={text.filter.clear}
    />
  );
}
