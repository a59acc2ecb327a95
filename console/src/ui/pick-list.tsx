// A button that opens a list to select from: one choice or several, with a search where it is long.

import { type ReactNode, useState } from "react";
import { Dialog, DialogTrigger } from "react-aria-components/Dialog";
import { ListBox, ListBoxItem, type Selection } from "react-aria-components/ListBox";
import { Popover } from "react-aria-components/Popover";
import { Button, type Look } from "./button";
import { Icon, type IconName } from "./icon";
import "./popover.css";
import { ranked, type Searchable } from "./ranking";
import { Search } from "./search";

/** `lang` is the label's language. */
export type Choice = Searchable & { id: string; lang?: string };

type Props = {
  /** The name of the list, which a screen reader also reads at the button. */
  label: string;
  /** The content of the button. */
  shown: ReactNode;
  choices: readonly Choice[];
  selected: readonly string[];
  onSelect: (ids: string[]) => void;
  many?: boolean;
  /** `note` says which choices there are to search, where these are not all. */
  search?: { label: string; none: string; more: (count: number) => string; note?: string };
  /** The label of a button that clears the selection; none by default. */
  clear?: string;
  icon?: IconName;
  look?: Look;
  onOpen?: () => void;
  /** Above the list: which list it is. */
  above?: ReactNode;
};

/** The most choices that are shown at once; the search finds the others. */
const MOST_SHOWN = 100;

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
          <Content {...props} close={() => setOpen(false)} />
        </Dialog>
      </Popover>
    </DialogTrigger>
  );
}

function Content(props: Props & { close: () => void }) {
  const { label, choices, selected, onSelect, many, search, clear, above, close } = props;
  const [query, setQuery] = useState("");
  const found = search ? ranked(choices, query) : choices;
  const shown = found.slice(0, MOST_SHOWN);

  function select(selection: Selection) {
    const ids = selection === "all" ? choices.map((each) => each.id) : [...selection].map(String);
    if (many) {
      // Choices that the search hides stay selected.
      const hidden = selected.filter((id) => !shown.some((each) => each.id === id));
      onSelect([...hidden, ...ids.filter((id) => !hidden.includes(id))]);
      return;
    }
    close();
    // Empty where the selected choice was clicked again.
    if (ids.length > 0) onSelect(ids);
  }

  const list = (
    <ListBox
      className="list"
      aria-label={label}
      items={shown.map((each) => ({ ...each }))}
      selectionMode={many ? "multiple" : "single"}
      selectionBehavior="toggle"
      escapeKeyBehavior="none"
      selectedKeys={selected}
      onSelectionChange={select}
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
      {above && <div className="list-head">{above}</div>}
      {search ? (
        <Search label={search.label} value={query} onChange={setQuery}>
          {list}
        </Search>
      ) : (
        list
      )}
      {found.length > shown.length && (
        <p className="list-note">{search?.more(found.length - shown.length)}</p>
      )}
      {search?.note && <p className="list-note">{search.note}</p>}
      {clear && selected.length > 0 && (
        <div className="list-foot">
          <Button look="bare" small onPress={() => onSelect([])}>
            {clear}
          </Button>
        </div>
      )}
    </>
  );
}
