// What the gateway tells the page, as inert JSON in the page itself.

export type Person = {
  name: string;
  token: string;
  accounts: { id: string; name: string }[];
};

export type Oidc = { issuer: string; clientId: string; scope: string; audience: string | null };

export type Settings = {
  dev: boolean;
  people: Person[];
  oidc: Oidc | null;
  topUpUrl: string | null;
  /** The platform's own name, picture and links, where it has them. */
  platform: string | null;
  logoUrl: string | null;
  homeUrl: string | null;
  helpUrl: string | null;
  portalUrl: string | null;
};

const ELEMENT = "gateway-settings";
const NOTHING: Settings = {
  dev: false,
  people: [],
  oidc: null,
  topUpUrl: null,
  platform: null,
  logoUrl: null,
  homeUrl: null,
  helpUrl: null,
  portalUrl: null,
};

// Vite serves a page that was told nothing; the gateway's own is beside it.
const GATEWAY_PAGE = import.meta.env.DEV ? "/gateway-page" : "/";

function read(page: Document): Settings {
  const told = page.getElementById(ELEMENT)?.textContent?.trim() || "{}";
  return { ...NOTHING, ...(JSON.parse(told) as Partial<Settings>) };
}

export async function loadSettings(): Promise<Settings> {
  return import.meta.env.DEV ? askAgain() : read(document);
}

/** Ask the gateway for its page once more: in dev, it comes with fresh tokens. */
export async function askAgain(): Promise<Settings> {
  const answer = await fetch(GATEWAY_PAGE, { headers: { accept: "text/html" }, cache: "no-store" });
  return read(new DOMParser().parseFromString(await answer.text(), "text/html"));
}
