const PATHS = {
  add: "M8 3v10M3 8h10",
  alert:
    "M8 5.5v3.2M8 11.2v.1M7.1 2.6 1.6 12a1 1 0 0 0 .9 1.5h11a1 1 0 0 0 .9-1.5L8.9 2.6a1 1 0 0 0-1.8 0Z",
  back: "M10 3 5 8l5 5",
  calendar:
    "M2.5 6.5h11M5 1.8v2.4M11 1.8v2.4M3.5 3h9a1 1 0 0 1 1 1v8.5a1 1 0 0 1-1 1h-9a1 1 0 0 1-1-1V4a1 1 0 0 1 1-1Z",
  check: "m3 8.5 3.2 3.2L13 4.8",
  close: "m4 4 8 8M12 4l-8 8",
  down: "m4 6 4 4 4-4",
  download: "M8 2v8M4.8 7 8 10.2 11.2 7M2.5 13h11",
  empty:
    "M2.5 9.5 4.3 3.6a1 1 0 0 1 1-.6h5.4a1 1 0 0 1 1 .6l1.8 5.9v3a1 1 0 0 1-1 1h-9a1 1 0 0 1-1-1v-3ZM2.5 9.5H6l.7 1.4h2.6l.7-1.4h3.5",
  fall: "M8 3v10M4 9l4 4 4-4",
  filter: "M2 4h12M4.5 8h7M6.8 12h2.4",
  globe:
    "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM2.2 8h11.6M8 2c1.8 1.6 2.6 3.6 2.6 6S9.8 12.4 8 14C6.2 12.4 5.4 10.4 5.4 8S6.2 3.6 8 2Z",
  language:
    "M2.5 3.8h6.2M5.6 2.4v1.4M7.4 3.8C6.8 6.6 5 8.6 2.6 9.8M3.9 6c.7 1.6 2 2.8 3.7 3.5M7.9 13.6l2.8-6.8 2.8 6.8M8.9 11.4h3.6",
  level: "M3 8h10",
  moon: "M13.2 9.6A5.6 5.6 0 0 1 6.4 2.8a5.6 5.6 0 1 0 6.8 6.8Z",
  next: "m6 3 5 5-5 5",
  person: "M8 8a2.8 2.8 0 1 0 0-5.6A2.8 2.8 0 0 0 8 8ZM2.8 13.6a5.2 5.2 0 0 1 10.4 0",
  retry: "M13 8a5 5 0 1 1-1.6-3.7M13 2.2v2.6h-2.6",
  rise: "M8 13V3M4 7l4-4 4 4",
  search: "M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9ZM10.3 10.3 13.5 13.5",
  sun: "M8 10.8a2.8 2.8 0 1 0 0-5.6 2.8 2.8 0 0 0 0 5.6ZM8 1.5v1.3M8 13.2v1.3M1.5 8h1.3M13.2 8h1.3M3.4 3.4l.9.9M11.7 11.7l.9.9M3.4 12.6l.9-.9M11.7 4.3l.9-.9",
  switch: "m5 6 3-3 3 3M5 10l3 3 3-3",
} as const;

export type IconName = keyof typeof PATHS;

/** Decoration: the words are beside it. */
export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  return (
    <svg
      className="icon"
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.5"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
