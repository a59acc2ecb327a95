import { explorerPlugin } from "@graphiql/plugin-explorer";
import { GraphiQL, HISTORY_PLUGIN } from "graphiql";
import { useEffect, useMemo, useRef } from "react";
import type { Settings } from "../api/settings";
import { Chooser } from "./chooser";
import { CredentialsContext, useNewCredentials } from "./credentials";
import { EXAMPLES } from "./examples";
import { EXAMPLES_PLUGIN } from "./examples-plugin";
import { createFetcher } from "./fetcher";

const PLUGINS = [EXAMPLES_PLUGIN, explorerPlugin({ showAttribution: false }), HISTORY_PLUGIN];

export function App({ settings }: { settings: Settings }) {
  const credentials = useNewCredentials(settings);
  const token = useRef(credentials.token);
  useEffect(() => {
    token.current = credentials.token;
  }, [credentials.token]);
  const fetcher = useMemo(() => createFetcher(() => token.current), []);
  return (
    <CredentialsContext value={credentials}>
      <GraphiQL
        fetcher={fetcher}
        plugins={PLUGINS}
        visiblePlugin={EXAMPLES_PLUGIN}
        defaultQuery={EXAMPLES[0]?.text ?? ""}
        defaultEditorToolsVisibility="variables"
        shouldPersistHeaders={false}
        showPersistHeadersSettings={false}
      >
        <GraphiQL.Logo>
          <Chooser />
        </GraphiQL.Logo>
      </GraphiQL>
    </CredentialsContext>
  );
}
