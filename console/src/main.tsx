import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./pages/app";
import "./ui/tokens.css";
import "./ui/base.css";
import { loadTheme } from "./ui/theme";
import { loadSettings } from "./util/settings";

loadTheme();
const root = document.getElementById("root");
if (root) {
  const settings = await loadSettings();
  createRoot(root).render(
    <StrictMode>
      <App settings={settings} />
    </StrictMode>,
  );
}
