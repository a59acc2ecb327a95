// What the gateway tells the page, as JSON that stands in it.

export type Person = {
  name: string;
  token: string;
  accounts: readonly { id: string; name: string }[];
};

export type Settings = { dev: boolean; people: readonly Person[] };

function read(page: Document): Settings {
  const told = page.getElementById("gateway-settings")?.textContent ?? "{}";
  return { dev: false, people: [], ...(JSON.parse(told) as Partial<Settings>) };
}

/** Vite serves the page while it is developed: then the gateway's own is asked. */
export async function readSettings(): Promise<Settings> {
  if (!import.meta.env.DEV) return read(document);
  const answer = await fetch("/gateway-page");
  return read(new DOMParser().parseFromString(await answer.text(), "text/html"));
}
