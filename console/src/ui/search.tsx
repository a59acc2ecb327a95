import type { ReactNode } from "react";
import { Autocomplete } from "react-aria-components/Autocomplete";
import { Input } from "react-aria-components/Input";
import { SearchField } from "react-aria-components/SearchField";
import { Icon } from "./icon";

type Props = {
  label: string;
  value: string;
  onChange: (text: string) => void;
  /** The list; arrow keys in the field move through it. */
  children: ReactNode;
};

export function Search({ label, value, onChange, children }: Props) {
  return (
    <Autocomplete inputValue={value} onInputChange={onChange}>
      <SearchField className="search" aria-label={label} autoFocus>
        <Icon name="search" />
        <Input placeholder={label} autoComplete="off" spellCheck="false" />
      </SearchField>
      {/* The field keeps the focus, so this section is focusable to scroll the list by keyboard. */}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, by arrow keys too */}
      <section className="list-frame" aria-label={label} tabIndex={0}>
        {children}
      </section>
    </Autocomplete>
  );
}
