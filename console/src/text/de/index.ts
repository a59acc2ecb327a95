import type { Words } from "../words";
import { account } from "./account";
import { billing } from "./billing";
import { shared } from "./shared";
import { shell } from "./shell";
import { usage } from "./usage";
import { views } from "./views";

export const german: Words = { shell, account, shared, billing, usage, views };
