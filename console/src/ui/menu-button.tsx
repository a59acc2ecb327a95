import { Header } from "react-aria-components/Header";
import { Menu, MenuItem, MenuSection, MenuTrigger } from "react-aria-components/Menu";
import { Popover } from "react-aria-components/Popover";
import { Button } from "./button";
import type { IconName } from "./icon";
import "./popover.css";

export type MenuEntry = { id: string; label: string; note?: string };

type Props = {
  label: string;
  icon: IconName;
  pending?: boolean;
  /** The actions, in titled parts where there are several. */
  sections: readonly { title?: string; items: readonly MenuEntry[] }[];
  onAction: (id: string) => void;
};

/** A button that opens a menu of actions. */
export function MenuButton({ label, icon, pending = false, sections, onAction }: Props) {
  return (
    <MenuTrigger>
      <Button icon={icon} trailing="down" isPending={pending}>
        {label}
      </Button>
      <Popover className="popover" placement="bottom end" offset={6}>
        <Menu className="list" onAction={(id) => onAction(String(id))}>
          {sections.map(({ title, items }) =>
            title === undefined ? (
              items.map(entry)
            ) : (
              <MenuSection key={title}>
                <Header className="list-title">{title}</Header>
                {items.map(entry)}
              </MenuSection>
            ),
          )}
        </Menu>
      </Popover>
    </MenuTrigger>
  );
}

function entry({ id, label, note }: MenuEntry) {
  return (
    <MenuItem key={id} id={id} textValue={label} className="option">
      <span className="option-text">{label}</span>
      {note && <span className="option-note">{note}</span>}
    </MenuItem>
  );
}
