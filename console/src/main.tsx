import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./pages/shell/app";
import "./ui/tokens.css";
import "./ui/base.css";
import { loadSettings } from "./api/settings";
import { loadLanguage } from "./text/language";
import { copyExactly } from "./ui/money";
import { loadTheme } from "./ui/theme";

loadTheme();
addEventListener("copy", copyExactly);
const root = document.getElementById("root");
if (root) {
  const [settings] = await Promise.all([loadSettings(), loadLanguage()]);
  createRoot(root).render(
    <StrictMode>
      <App settings={settings} />
    </StrictMode>,
  );
}
