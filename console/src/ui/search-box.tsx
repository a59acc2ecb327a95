import { useEffect, useRef, useState } from "react";
import { Button } from "react-aria-components/Button";
import { Input } from "react-aria-components/Input";
import { SearchField } from "react-aria-components/SearchField";
import { cleanLine, truncate } from "../util/line";
import { Icon } from "./icon";
import "./search-box.css";

/** How long after the last key the search starts. */
const DELAY_MS = 400;

type Props = {
  label: string;
  clear: string;
  value: string;
  /** In code points: an emoji is one. */
  maxLength: number;
  onSearch: (text: string) => void;
};

/** A field that searches while one types, or at once with Enter; Escape clears it. */
export function SearchBox({ label, clear, value, maxLength, onSearch }: Props) {
  const [typed, setTyped] = useState(value);
  const latest = useRef(value);
  const waiting = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => {
    // The Back button, a link or a clear button has changed the search: show it in the field.
    if (value === latest.current) return;
    latest.current = value;
    clearTimeout(waiting.current);
    setTyped(value);
  }, [value]);
  useEffect(() => () => clearTimeout(waiting.current), []);

  function search(text: string) {
    clearTimeout(waiting.current);
    const query = cleanLine(text, maxLength);
    if (query === latest.current) return;
    latest.current = query;
    onSearch(query);
  }

  function type(text: string) {
    const kept = truncate(text, maxLength);
    setTyped(kept);
    clearTimeout(waiting.current);
    waiting.current = setTimeout(() => search(kept), DELAY_MS);
  }

  return (
    <SearchField
      className={`search-box${value ? " filled" : ""}`}
      aria-label={label}
      value={typed}
      onChange={type}
      onSubmit={search}
      onClear={() => search("")}
    >
      <Icon name="search" />
      <Input placeholder={label} autoComplete="off" spellCheck="false" />
      {typed && (
        <Button className="search-clear" aria-label={clear}>
          <Icon name="close" />
        </Button>
      )}
    </SearchField>
  );
}
