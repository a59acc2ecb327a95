import type { Words } from "../language";
import { billing } from "./billing";
import { shell } from "./shell";
import { usage } from "./usage";

export const german: Words = { shell, billing, usage };
