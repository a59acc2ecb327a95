// Example operations; the variable `$account` gets the chosen account's id.

const KINDS = ["query", "mutation", "subscription"] as const;

export type Example = { title: string; kind: (typeof KINDS)[number]; text: string };

const files = import.meta.glob<string>("./examples/*.graphql", {
  query: "?raw",
  import: "default",
  eager: true,
});

/** The examples in their files' order; a file's first line is the title. */
export const EXAMPLES: readonly Example[] = Object.keys(files)
  .sort()
  .map((path) => parse(files[path] ?? ""));

function parse(file: string): Example {
  const [title = "", ...lines] = file.split("\n");
  const text = lines.join("\n");
  return {
    title: title.replace(/^#\s*/, ""),
    kind: KINDS.find((kind) => text.startsWith(kind)) ?? "query",
    text,
  };
}

export function variablesFor(text: string, account: string | undefined): string {
  if (!text.includes("$account")) return "";
  return `${JSON.stringify({ account: account ?? "" }, null, 2)}\n`;
}
