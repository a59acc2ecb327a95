import { useEffect, useRef, useState } from "react";
import { Button } from "react-aria-components/Button";
import { Input } from "react-aria-components/Input";
import { SearchField } from "react-aria-components/SearchField";
import { firstOf, lineOf } from "../util/line";
import { Icon } from "./icon";
import "./search-box.css";

/** How long a person rests before what they typed is searched for. */
const REST_MS = 400;

type Props = {
  label: string;
  clear: string;
  value: string;
  /** In code points: an emoji is one. */
  maxLength: number;
  onSearch: (text: string) => void;
};

/** A field that searches while one types, or at once with Enter; Escape empties it. */
export function SearchBox({ label, clear, value, maxLength, onSearch }: Props) {
  const [typed, setTyped] = useState(value);
  const latest = useRef(value);
  const waiting = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => {
    // Back, a link, or a button that clears all: what is searched for is not what was typed here.
    if (value === latest.current) return;
    latest.current = value;
    clearTimeout(waiting.current);
    setTyped(value);
  }, [value]);
  useEffect(() => () => clearTimeout(waiting.current), []);

  function search(text: string) {
    clearTimeout(waiting.current);
    const sought = lineOf(text, maxLength);
    if (sought === latest.current) return;
    latest.current = sought;
    onSearch(sought);
  }

  function type(text: string) {
    const kept = firstOf(text, maxLength);
    setTyped(kept);
    clearTimeout(waiting.current);
    waiting.current = setTimeout(() => search(kept), REST_MS);
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
