// Monaco's workers, from the page's own bundle.
import type { Environment } from "monaco-editor";
import EditorWorker from "monaco-editor/esm/vs/editor/editor.worker.js?worker";
import JsonWorker from "monaco-editor/esm/vs/language/json/json.worker.js?worker";
import GraphQLWorker from "monaco-graphql/esm/graphql.worker.js?worker";

const environment: Environment = {
  getWorker(_, label) {
    if (label === "json") return new JsonWorker();
    return label === "graphql" ? new GraphQLWorker() : new EditorWorker();
  },
};
Object.assign(globalThis, { MonacoEnvironment: environment });
