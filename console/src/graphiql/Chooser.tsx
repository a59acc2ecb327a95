// Whose token is sent, and whose account the examples ask about.
import { useGraphiQL, useGraphiQLActions } from "@graphiql/react";
import { useEffect, useRef } from "react";
import { useWho } from "./who";

export function Chooser() {
  const who = useWho();
  useAccountInVariables(who.account);
  useSchemaOf(who.token);
  if (who.people.length === 0) {
    return (
      <label className="chooser">
        <span>Token or API key</span>
        <input
          type="password"
          autoComplete="off"
          value={who.token}
          onChange={(event) => who.setToken(event.target.value.trim())}
        />
      </label>
    );
  }
  return (
    <div className="chooser">
      <span className="dev">Dev mode</span>
      <label>
        <span>Person</span>
        <select value={who.person?.name} onChange={(event) => who.choosePerson(event.target.value)}>
          {who.people.map((person) => (
            <option key={person.name}>{person.name}</option>
          ))}
        </select>
      </label>
      <label>
        <span>Account</span>
        <select value={who.account} onChange={(event) => who.chooseAccount(event.target.value)}>
          {who.person?.accounts.map((account) => (
            <option key={account.id} value={account.id}>
              {account.name}
            </option>
          ))}
        </select>
      </label>
      <button type="button" onClick={() => void navigator.clipboard.writeText(who.token)}>
        Copy token
      </button>
    </div>
  );
}

/** Put the id of an account that was chosen in the place of the one before. */
function useAccountInVariables(account: string | undefined): void {
  const editor = useGraphiQL((state) => state.variableEditor);
  const before = useRef(account);
  useEffect(() => {
    const text = editor?.getValue();
    if (text && before.current && account) {
      const changed = text.replaceAll(before.current, account);
      if (changed !== text) editor?.setValue(changed);
    }
    before.current = account;
  }, [editor, account]);
}

/** Another credential may see another schema, or see one for the first time. */
function useSchemaOf(token: string): void {
  const { introspect } = useGraphiQLActions();
  const before = useRef(token);
  useEffect(() => {
    if (before.current === token) return;
    before.current = token;
    const later = setTimeout(() => void introspect(), 300); // it is being typed
    return () => clearTimeout(later);
  }, [introspect, token]);
}
