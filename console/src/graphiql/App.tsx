import { explorerPlugin } from "@graphiql/plugin-explorer";
import { GraphiQL, HISTORY_PLUGIN } from "graphiql";
import { useEffect, useMemo, useRef } from "react";
import { Chooser } from "./Chooser";
import { EXAMPLES_PLUGIN } from "./ExamplesPlugin";
import { EXAMPLES } from "./examples";
import { createFetcher } from "./fetcher";
import type { Settings } from "./told";
import { useNewWho, WhoContext } from "./who";

const PLUGINS = [EXAMPLES_PLUGIN, explorerPlugin({ showAttribution: false }), HISTORY_PLUGIN];

export function App({ settings }: { settings: Settings }) {
  const who = useNewWho(settings);
  const token = useRef(who.token);
  useEffect(() => {
    token.current = who.token;
  }, [who.token]);
  const fetcher = useMemo(() => createFetcher(() => token.current), []);
  return (
    <WhoContext value={who}>
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
    </WhoContext>
  );
}
