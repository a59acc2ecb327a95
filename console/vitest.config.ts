import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["src/**/*.test.ts"],
    setupFiles: ["src/testing/setup.ts"],
    isolate: false,
    // Far from UTC, so that a test of a date fails where the machine's own zone moves it.
    env: { TZ: "Pacific/Kiritimati" },
  },
});
