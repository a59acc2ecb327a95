import { filter as words } from "../../text/billing";
import { PickList } from "../../ui/pick-list";

type FilterProps<Value extends string> = {
  label: string;
  names: Record<Value, string>;
  values: readonly Value[];
  picked: readonly Value[];
  onPick: (values: Value[]) => void;
};

/** A button that says which values are selected, and a list to select others. */
export function Filter<Value extends string>(props: FilterProps<Value>) {
  const { label, names, values, picked, onPick } = props;
  const [only, ...more] = picked;
  const shown = only && (more.length === 0 ? names[only] : words.some(picked.length));
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
            <span className="hidden">{words.any}</span>
          )}
        </>
      }
      choices={values.map((id) => ({ id, label: names[id] }))}
      picked={picked}
      onPick={(ids) => onPick(values.filter((each) => ids.includes(each)))}
      clear={words.clear}
    />
  );
}
