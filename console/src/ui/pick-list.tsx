// A button that opens a list to pick from: one of it or several, searched where it is long.

import { type ReactNode, useState } from "react";
import { Dialog, DialogTrigger } from "react-aria-components/Dialog";
import { ListBox, ListBoxItem, type Selection } from "react-aria-components/ListBox";
import { Popover } from "react-aria-components/Popover";
import { Button, type Look } from "./button";
import { Icon, type IconName } from "./icon";
import "./popover.css";
import { Search } from "./search";

/** `lang` is the label's language. */
export type Choice = {
  id: string;
  label: string;
  note?: string;
  /** Not shown, but found: other names of the same, those that fewer people mean later. */
  also?: readonly string[];
  /** Among those that are found as well as each other the heaviest comes first. */
  weight?: number;
  lang?: string;
};

type Props = {
  /** What is picked, for the list and for a screen reader's user at the button. */
  label: string;
  /** What the button shows. */
  shown: ReactNode;
  choices: readonly Choice[];
  picked: readonly string[];
  onPick: (ids: string[]) => void;
  many?: boolean;
  search?: { label: string; none: string; more: (count: number) => string };
  /** What clearing the choice is called, where that can be done. */
  clear?: string;
  icon?: IconName;
  look?: Look;
  onOpen?: () => void;
};

/** So many are shown at once; whoever has more searches. */
const SHOWN = 100;

export function PickList(props: Props) {
  const { label, shown, icon, look = "outlined", onOpen } = props;
  const [isOpen, setOpen] = useState(false);
  return (
    <DialogTrigger
      isOpen={isOpen}
      onOpenChange={(open) => {
        setOpen(open);
        if (open) onOpen?.();
      }}
    >
      <Button look={look} {...(icon && { icon })} trailing="down">
        <span className="hidden">{label}: </span>
        {shown}
      </Button>
      <Popover className="popover" placement="bottom start" offset={6}>
        <Dialog className="dialog" aria-label={label}>
          <Picking {...props} close={() => setOpen(false)} />
        </Dialog>
      </Popover>
    </DialogTrigger>
  );
}

function Picking(props: Props & { close: () => void }) {
  const { label, choices, picked, onPick, many, search, clear, close } = props;
  const [sought, setSought] = useState("");
  const found = search ? ranked(choices, sought) : choices;
  const shown = found.slice(0, SHOWN);

  function pick(selection: Selection) {
    const ids = selection === "all" ? choices.map((each) => each.id) : [...selection].map(String);
    if (many) {
      // What the search hides stays picked.
      const hidden = picked.filter((id) => !shown.some((each) => each.id === id));
      onPick([...hidden, ...ids.filter((id) => !hidden.includes(id))]);
      return;
    }
    close();
    // Nothing, where what was picked is picked again.
    if (ids.length > 0) onPick(ids);
  }

  const list = (
    <ListBox
      className="list"
      aria-label={label}
      items={shown.map((each) => ({ ...each }))}
      selectionMode={many ? "multiple" : "single"}
      selectionBehavior="toggle"
      escapeKeyBehavior="none"
      selectedKeys={picked}
      onSelectionChange={pick}
      autoFocus={!search}
      renderEmptyState={() => <p className="list-note">{search?.none}</p>}
    >
      {(choice) => (
        <ListBoxItem id={choice.id} textValue={choice.label} className="option">
          <Icon name="check" />
          <bdi className="option-text" lang={choice.lang}>
            {choice.label}
          </bdi>
          {choice.note && <span className="option-note">{choice.note}</span>}
        </ListBoxItem>
      )}
    </ListBox>
  );
  return (
    <>
      {search ? (
        <Search label={search.label} value={sought} onChange={setSought}>
          {list}
        </Search>
      ) : (
        list
      )}
      {found.length > shown.length && (
        <p className="list-note">{search?.more(found.length - shown.length)}</p>
      )}
      {clear && picked.length > 0 && (
        <div className="list-foot">
          <Button look="bare" small onPress={() => onPick([])}>
            {clear}
          </Button>
        </div>
      )}
    </>
  );
}

/** How a word may stand in a text, the best way first. */
const WAYS = [
  (word: string) => ` ${word} `,
  (word: string) => ` ${word}`,
  (word: string) => word,
] as const;

/**
 * The choices in which each word that is sought stands: as a whole before as a beginning, and in the
 * label before anywhere else; of equals the heavier first. Case and accents do not count.
 */
function ranked(choices: readonly Choice[], sought: string): readonly Choice[] {
  const words = plain(sought).split(" ").filter(Boolean);
  if (words.length === 0) return choices;
  return choices
    .map((choice) => ({ choice, rank: rankOf(choice, words) }))
    .filter(({ rank }) => rank !== -1)
    .sort((one, other) => one.rank - other.rank || heavier(one.choice, other.choice))
    .map(({ choice }) => choice);
}

function rankOf({ label, note = "", also = [] }: Choice, words: readonly string[]): number {
  const [known = "", ...rare] = also;
  const texts = [label, `${note} ${known}`, ...rare].map(plain).filter(Boolean);
  const reached = texts.map((_, at) => ` ${texts.slice(0, at + 1).join(" ")} `);
  return WAYS.flatMap((way) =>
    reached.map((text) => words.every((word) => text.includes(way(word)))),
  ).indexOf(true);
}

function heavier({ weight: one = 0 }: Choice, { weight: other = 0 }: Choice): number {
  return one === other ? 0 : other - one;
}

function plain(text: string): string {
  return text
    .normalize("NFKD")
    .replace(/\p{Diacritic}/gu, "")
    .replace(/[\s/_]+/g, " ")
    .toLowerCase()
    .trim();
}
