import { Button } from "./button";
import type { IconName } from "./icon";
import "./pagination.css";
import { Select } from "./select";

type Props = {
  texts: { label: string; previous: string; next: string; size: string };
  /** Which rows the page shows. */
  summary: string;
  hasPrevious: boolean;
  hasNext: boolean;
  onPrevious: () => void;
  onNext: () => void;
  size: number;
  sizes: readonly number[];
  onSize: (size: number) => void;
};

/** Controls for the pages of a list, in both directions. */
export function Pagination(props: Props) {
  const { texts, summary, size, sizes, onSize } = props;
  return (
    <nav className="pagination" aria-label={texts.label}>
      <Select
        label={texts.size}
        labelled
        value={String(size)}
        options={sizes.map((each) => ({ id: String(each), label: String(each) }))}
        onChange={(id) => onSize(Number(id))}
      />
      <span className="faint small" aria-live="polite">
        {summary}
      </span>
      <span className="row">
        <Turn icon="back" isPossible={props.hasPrevious} onPress={props.onPrevious}>
          {texts.previous}
        </Turn>
        <Turn icon="next" isPossible={props.hasNext} onPress={props.onNext}>
          {texts.next}
        </Turn>
      </span>
    </nav>
  );
}

type TurnProps = {
  icon: IconName;
  isPossible: boolean;
  onPress: () => void;
  children: string;
};

/** It stays focusable where there is no further page, so that the focus of the last press is kept. */
function Turn({ icon, isPossible, onPress, children }: TurnProps) {
  return (
    <Button
      icon={icon}
      iconOnly
      small
      aria-disabled={!isPossible}
      onPress={() => isPossible && onPress()}
    >
      {children}
    </Button>
  );
}
