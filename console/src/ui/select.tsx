import "./select.css";
import { Icon } from "./icon";

type Props = {
  label: string;
  /** Whether the label is visible. */
  labelled?: boolean;
  value: string;
  options: readonly { id: string; label: string }[];
  onChange: (id: string) => void;
};

/** One choice from a short list: the browser's own control, which suits every phone. */
export function Select({ label, labelled = false, value, options, onChange }: Props) {
  return (
    <label className="select">
      <span className={labelled ? "faint small" : "hidden"}>{label}</span>
      <span className="select-box">
        <select value={value} onChange={(event) => onChange(event.target.value)}>
          {options.map((option) => (
            <option key={option.id} value={option.id} dir="auto">
              {option.label}
            </option>
          ))}
        </select>
        <Icon name="down" size={14} />
      </span>
    </label>
  );
}
