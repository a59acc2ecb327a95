// The days of a view: a button that shows them and opens presets and a calendar. The calendar is a chunk
// of its own, because most visits never open it.

import { type ReactNode, useState } from "react";
import { Dialog, DialogTrigger } from "react-aria-components/Dialog";
import { ListBox, ListBoxItem } from "react-aria-components/ListBox";
import { Popover } from "react-aria-components/Popover";
import { Button } from "./button";
import { Icon } from "./icon";
import { lazy } from "./lazy";
import "./popover.css";
import type { Days, RangeTexts } from "./range";
import "./range-picker.css";

const RangeCalendar = lazy(() => import("./range-calendar"));

type Props = {
  texts: RangeTexts;
  /** The chosen days, in words. */
  shown: ReactNode;
  presets: readonly { id: string; label: string }[];
  preset: string | null;
  days: Days | null;
  /** The first and last day that can be chosen. */
  limits: Days;
  /** Where the calendar opens if no days are chosen. */
  today: string;
  onPreset: (id: string) => void;
  onDays: (days: Days) => void;
};

export function RangePicker({ texts, shown, presets, preset, onPreset, onDays, ...rest }: Props) {
  const [isOpen, setOpen] = useState(false);
  return (
    <DialogTrigger isOpen={isOpen} onOpenChange={setOpen}>
      <Button icon="calendar" trailing="down">
        <span className="hidden">{texts.label}: </span>
        {shown}
      </Button>
      <Popover className="popover" placement="bottom start" offset={6}>
        <Dialog className="dialog range-dialog" aria-label={texts.label}>
          <ListBox
            className="list range-presets"
            aria-label={texts.presets}
            items={presets}
            selectionMode="single"
            escapeKeyBehavior="none"
            selectedKeys={preset ? [preset] : []}
            autoFocus={preset ? true : "first"}
            onSelectionChange={(selection) => {
              setOpen(false);
              // Empty where the selected preset was clicked again.
              const [id] = selection;
              if (id !== undefined) onPreset(String(id));
            }}
          >
            {(item) => (
              <ListBoxItem id={item.id} textValue={item.label} className="option">
                <Icon name="check" />
                {item.label}
              </ListBoxItem>
            )}
          </ListBox>
          <div className="range-custom">
            <RangeCalendar
              {...rest}
              texts={texts}
              onDays={(days) => {
                setOpen(false);
                onDays(days);
              }}
            />
          </div>
        </Dialog>
      </Popover>
    </DialogTrigger>
  );
}
