import { fileURLToPath } from "node:url";
import optimizeLocales from "@react-aria/optimize-locales-plugin";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { zones } from "./scripts/zones";

// Where `npm run dev` finds a gateway.
const gateway = process.env.GATEWAY_URL ?? "http://127.0.0.1:8000";
// The gateway refuses connections of another origin.
const proxied = { target: gateway, changeOrigin: true, rewriteWsOrigin: true };

export default defineConfig({
  // The languages of the page: react-aria's sentences in 32 other languages are left out.
  plugins: [
    react(),
    zones(),
    { ...optimizeLocales.vite({ locales: ["en-US", "de-DE"] }), enforce: "pre" },
  ],
  resolve: {
    alias: [
      {
        // Monaco has an old copy inside.
        find: /^[./]+\/dompurify\/dompurify\.js$/,
        replacement: fileURLToPath(new URL("src/graphiql/sanitizer.ts", import.meta.url)),
      },
    ],
  },
  build: {
    outDir: "../gateway/static",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    reportCompressedSize: true,
    rollupOptions: { input: ["index.html", "graphiql.html"] },
  },
  // CommonJS modules of a worker, which Vite does not find itself.
  optimizeDeps: {
    include: [
      "monaco-graphql > picomatch-browser",
      "monaco-graphql > graphql-language-service > nullthrows",
    ],
  },
  server: {
    proxy: {
      "/graphql": { ...proxied, ws: true },
      // The page's settings are in the gateway's own page.
      "/gateway-page": { ...proxied, rewrite: () => "/" },
      "/receipts": proxied,
      "/exports": proxied,
    },
  },
});
