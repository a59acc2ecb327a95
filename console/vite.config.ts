import optimizeLocales from "@react-aria/optimize-locales-plugin";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { zones } from "./scripts/zones";

// Where `npm run dev` finds a gateway.
const gateway = process.env.GATEWAY_URL ?? "http://127.0.0.1:8000";
// It lets no page of another origin connect.
const proxied = { target: gateway, changeOrigin: true, rewriteWsOrigin: true };

export default defineConfig({
  // The languages of the page: sentences of react-aria in 32 others stay out.
  plugins: [
    react(),
    zones(),
    { ...optimizeLocales.vite({ locales: ["en-US", "de-DE"] }), enforce: "pre" },
  ],
  build: {
    outDir: "../gateway/static",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    reportCompressedSize: true,
    rollupOptions: { input: ["index.html", "graphiql.html"] },
  },
  // CommonJS that a worker imports, which Vite does not find by itself.
  optimizeDeps: {
    include: [
      "monaco-graphql > picomatch-browser",
      "monaco-graphql > graphql-language-service > nullthrows",
    ],
  },
  server: {
    proxy: {
      "/graphql": { ...proxied, ws: true },
      // What the page is told stands in the gateway's own.
      "/gateway-page": { ...proxied, rewrite: () => "/" },
      "/receipts": proxied,
      "/exports": proxied,
    },
  },
});
