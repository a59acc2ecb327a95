import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./pages/app";
import "./ui/tokens.css";
import "./ui/base.css";
import { loadLanguage } from "./text/language";
import { copyExactly } from "./ui/money";
import { loadTheme } from "./ui/theme";
import { loadSettings } from "./util/settings";

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
