import { type GraphiQLPlugin, useGraphiQL, useGraphiQLActions } from "@graphiql/react";
import { useCredentials } from "./credentials";
import { EXAMPLES, type Example, variablesFor } from "./examples";

const KINDS = [
  ["query", "Queries"],
  ["mutation", "Mutations"],
  ["subscription", "Subscriptions"],
] as const;

function Examples() {
  const open = useOpen();
  return (
    <section className="examples" aria-label="Examples">
      <div className="graphiql-doc-explorer-title">Examples</div>
      {KINDS.map(([kind, title]) => (
        <div key={kind}>
          <h3>{title}</h3>
          <ul>
            {EXAMPLES.filter((example) => example.kind === kind).map((example) => (
              <li key={example.title}>
                <button type="button" onClick={() => open(example)}>
                  {example.title}
                </button>
              </li>
            ))}
          </ul>
        </div>
      ))}
    </section>
  );
}

/** Returns how to open an example in the current tab. */
function useOpen(): (example: Example) => void {
  const { account } = useCredentials();
  const { updateActiveTabValues } = useGraphiQLActions();
  const query = useGraphiQL((state) => state.queryEditor);
  const variables = useGraphiQL((state) => state.variableEditor);
  const response = useGraphiQL((state) => state.responseEditor);
  return ({ text }) => {
    updateActiveTabValues({ response: null });
    query?.setValue(text);
    variables?.setValue(variablesFor(text, account));
    response?.setValue("");
  };
}

function Icon() {
  return (
    <svg viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="1.5" aria-hidden="true">
      <path d="M5 3.75h14v16.5H5zM8.5 8h7M8.5 12h7M8.5 16h4" strokeLinecap="round" />
    </svg>
  );
}

export const EXAMPLES_PLUGIN: GraphiQLPlugin = {
  title: "Examples",
  icon: Icon,
  content: Examples,
};
