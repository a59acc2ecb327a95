import { Button } from "./button";
import type { IconName } from "./icon";
import "./pagination.css";
import { Select } from "./select";

type Props = {
  texts: { label: string; previous: string; next: string; size: string };
  /** What the page holds, in words. */
  summary: string;
  hasPrevious: boolean;
  hasNext: boolean;
  onPrevious: () => void;
  onNext: () => void;
  size: number;
  sizes: readonly number[];
  onSize: (size: number) => void;
};

/** Pages by cursor, both ways. */
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

/** It can be focused also where it leads nowhere: whoever pressed it up to there is still on it. */
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
