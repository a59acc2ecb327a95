import "./status-badge.css";

export type Tone = "good" | "warn" | "bad" | "calm" | "accent";

export function StatusBadge({ tone, children }: { tone: Tone; children: string }) {
  return <span className={`badge ${tone}`}>{children}</span>;
}
