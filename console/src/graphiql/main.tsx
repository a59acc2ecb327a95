import "./workers";
import "graphiql/style.css";
import "@graphiql/plugin-explorer/style.css";
import "./graphiql.css";
import { createRoot } from "react-dom/client";
import { loadSettings } from "../api/settings";
import { App } from "./app";

const root = document.getElementById("root");
if (root) createRoot(root).render(<App settings={await loadSettings()} />);
