// Runs before each file of tests.

import { afterEach, vi } from "vitest";
import { setLanguage } from "../util/locale";

afterEach(() => {
  vi.unstubAllGlobals();
  setLanguage("en");
});
