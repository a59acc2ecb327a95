import "./toggle.css";

type Props = { isOn: boolean; onChange: (isOn: boolean) => void; children: string };

/** A button that is on or off. */
export function Toggle({ isOn, onChange, children }: Props) {
  return (
    <button
      type="button"
      className="button outlined small-button toggle"
      aria-pressed={isOn}
      onClick={() => onChange(!isOn)}
    >
      {children}
    </button>
  );
}
