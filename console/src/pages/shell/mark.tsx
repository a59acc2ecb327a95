import type { Settings } from "../../api/settings";

type Props = { settings: Pick<Settings, "logoUrl">; size?: number };

/** The platform's logo, or the page's own mark. Decoration: the name is beside it. */
export function Mark({ settings: { logoUrl }, size = 24 }: Props) {
  if (logoUrl) return <img className="logo" src={logoUrl} alt="" height={size} />;
  return (
    <svg className="mark" width={size} height={size} viewBox="0 0 24 24" aria-hidden="true">
      <rect width="24" height="24" rx="6" />
      <path d="M7 16.5v-4M12 16.5v-9M17 16.5v-6" />
    </svg>
  );
}
