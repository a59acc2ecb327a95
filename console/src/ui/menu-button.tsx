import { Menu, MenuItem, MenuTrigger } from "react-aria-components/Menu";
import { Popover } from "react-aria-components/Popover";
import { Button } from "./button";
import type { IconName } from "./icon";
import "./popover.css";

type Props = {
  label: string;
  icon: IconName;
  pending?: boolean;
  items: readonly { id: string; label: string; note?: string }[];
  onAction: (id: string) => void;
};

/** A button that opens a menu of actions. */
export function MenuButton({ label, icon, pending = false, items, onAction }: Props) {
  return (
    <MenuTrigger>
      <Button icon={icon} trailing="down" isPending={pending}>
        {label}
      </Button>
      <Popover className="popover" placement="bottom end" offset={6}>
        <Menu className="list" items={items} onAction={(id) => onAction(String(id))}>
          {(item) => (
            <MenuItem id={item.id} textValue={item.label} className="option">
              <span className="option-text">{item.label}</span>
              {item.note && <span className="option-note">{item.note}</span>}
            </MenuItem>
          )}
        </Menu>
      </Popover>
    </MenuTrigger>
  );
}
