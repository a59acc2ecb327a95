// Settings that the gateway writes into the page, as inert JSON.

import type { ExportFormat } from "./generated/graphql";

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
  /** The platform's page of a deployment, with `{externalId}` in place of its id. */
  deploymentUrl: string | null;
  /** The formats of exports that the gateway writes: Parquet needs an optional dependency. */
  exportFormats: readonly ExportFormat[];
  /** Whether documents of these kinds are issued. */
  issuesReceipts: boolean;
  issuesStatements: boolean;
  /** The platform's name, logo and links, where it has them. */
  platform: string | null;
  logoUrl: string | null;
  homeUrl: string | null;
  helpUrl: string | null;
  portalUrl: string | null;
};

const ELEMENT = "gateway-settings";
const DEFAULTS: Settings = {
  dev: false,
  people: [],
  oidc: null,
  topUpUrl: null,
  deploymentUrl: null,
  exportFormats: ["CSV", "XLSX", "JSONL", "PARQUET", "FOCUS"],
  issuesReceipts: true,
  issuesStatements: true,
  platform: null,
  logoUrl: null,
  homeUrl: null,
  helpUrl: null,
  portalUrl: null,
};

// The page that Vite serves has no settings; the gateway's page has them.
const GATEWAY_PAGE = import.meta.env.DEV ? "/gateway-page" : "/";

function read(page: Document): Settings {
  const content = page.getElementById(ELEMENT)?.textContent?.trim() || "{}";
  return { ...DEFAULTS, ...(JSON.parse(content) as Partial<Settings>) };
}

export async function loadSettings(): Promise<Settings> {
  return import.meta.env.DEV ? reloadSettings() : read(document);
}

/** Request the gateway's page again: in dev mode its tokens are fresh. */
export async function reloadSettings(): Promise<Settings> {
  const response = await fetch(GATEWAY_PAGE, {
    headers: { accept: "text/html" },
    cache: "no-store",
  });
  return read(new DOMParser().parseFromString(await response.text(), "text/html"));
}
