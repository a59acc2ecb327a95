import type { account } from "./en/account";
import type { billing } from "./en/billing";
import type { shared } from "./en/shared";
import type { shell } from "./en/shell";
import type { usage } from "./en/usage";
import type { views } from "./en/views";

/** The words of one language, by the part of the page that shows them. */
export type Words = {
  shell: typeof shell;
  account: typeof account;
  shared: typeof shared;
  billing: typeof billing;
  usage: typeof usage;
  views: typeof views;
};
