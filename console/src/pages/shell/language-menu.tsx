import { useState } from "react";
import { chooseLanguage, useLanguage } from "../../text/language";
import { shell } from "../../text/shell";
import { PickList } from "../../ui/pick-list";
import { Notice } from "../../ui/states";
import { LANGUAGES, type Language } from "../../util/locale";

/** Each language's own name for itself. */
const NAMES: Record<Language, string> = { en: "English", de: "Deutsch" };

/** Chooses the language of the page, which this browser stores. */
export function LanguageMenu() {
  const language = useLanguage();
  const [hasFailed, setFailed] = useState(false);

  function choose(next: Language) {
    setFailed(false);
    chooseLanguage(next).catch(() => setFailed(true));
  }

  return (
    <span className="language">
      <PickList
        label={shell.language.label}
        shown={language.toUpperCase()}
        icon="language"
        look="bare"
        choices={LANGUAGES.map((id) => ({ id, label: NAMES[id], lang: id }))}
        selected={[language]}
        onSelect={([id]) => id && choose(id as Language)}
      />
      {hasFailed && <Notice tone="bad">{shell.language.failed}</Notice>}
    </span>
  );
}
