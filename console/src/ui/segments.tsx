import { useId } from "react";
import "./segments.css";

type Props<Id extends string> = {
  label: string;
  options: readonly { id: Id; label: string; isDisabled?: boolean; title?: string }[];
  selected: Id;
  onSelect: (id: Id) => void;
  small?: boolean;
};

/** A few choices side by side, one of them selected: the browser's own radio buttons. */
export function Segments<Id extends string>(props: Props<Id>) {
  const { label, options, selected, onSelect, small = false } = props;
  const name = useId();
  return (
    <fieldset className={small ? "segments small-segments" : "segments"}>
      <legend className="hidden">{label}</legend>
      {options.map((option) => (
        <label key={option.id} className="segment" title={option.title}>
          <input
            type="radio"
            name={name}
            value={option.id}
            checked={option.id === selected}
            disabled={option.isDisabled}
            onChange={() => onSelect(option.id)}
          />
          {option.label}
        </label>
      ))}
    </fieldset>
  );
}
