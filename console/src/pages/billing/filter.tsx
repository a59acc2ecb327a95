import { filter as t } from "../../text/billing";
import { PickList } from "../../ui/pick-list";

type FilterProps<Value extends string> = {
  label: string;
  names: Record<Value, string>;
  values: readonly Value[];
  selected: readonly Value[];
  onSelect: (values: Value[]) => void;
};

/** A button that shows the selected values, and a list to select others. */
export function Filter<Value extends string>(props: FilterProps<Value>) {
  const { label, names, values, selected, onSelect } = props;
  const [only, ...others] = selected;
  const shown = only && (others.length === 0 ? names[only] : t.some(selected.length));
  return (
    <PickList
      many
      label={label}
      shown={
        <>
          <span aria-hidden="true">{label}</span>
          {shown ? (
            <span className="filter-value">{shown}</span>
          ) : (
            <span className="hidden">{t.any}</span>
          )}
        </>
      }
      choices={values.map((id) => ({ id, label: names[id] }))}
      selected={selected}
      onSelect={(ids) => onSelect(values.filter((each) => ids.includes(each)))}
      clear={t.clear}
    />
  );
}
