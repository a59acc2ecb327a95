// Chooses the credential, and the account of the examples.
import { useGraphiQL, useGraphiQLActions } from "@graphiql/react";
import { useEffect, useRef } from "react";
import { useCredentials } from "./credentials";

export function Chooser() {
  const credentials = useCredentials();
  useAccountInVariables(credentials.account);
  useSchemaFor(credentials.token);
  if (credentials.people.length === 0) {
    return (
      <label className="chooser">
        <span>Token or API key</span>
        <input
          type="password"
          autoComplete="off"
          value={credentials.token}
          onChange={(event) => credentials.setToken(event.target.value.trim())}
        />
      </label>
    );
  }
  return (
    <div className="chooser">
      <span className="dev">Dev mode</span>
      <label>
        <span>Person</span>
        <select
          value={credentials.person?.name}
          onChange={(event) => credentials.choosePerson(event.target.value)}
        >
          {credentials.people.map((person) => (
            <option key={person.name}>{person.name}</option>
          ))}
        </select>
      </label>
      <label>
        <span>Account</span>
        <select
          value={credentials.account}
          onChange={(event) => credentials.chooseAccount(event.target.value)}
        >
          {credentials.person?.accounts.map((account) => (
            <option key={account.id} value={account.id}>
              {account.name}
            </option>
          ))}
        </select>
      </label>
      <button type="button" onClick={() => void navigator.clipboard.writeText(credentials.token)}>
        Copy token
      </button>
    </div>
  );
}

/** Replace the previous account's id in the variables by the chosen one's. */
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

/** Load the schema again with another credential, which may be the first that is accepted. */
function useSchemaFor(token: string): void {
  const { introspect } = useGraphiQLActions();
  const before = useRef(token);
  useEffect(() => {
    if (before.current === token) return;
    before.current = token;
    const later = setTimeout(() => void introspect(), 300); // while it is typed
    return () => clearTimeout(later);
  }, [introspect, token]);
}
