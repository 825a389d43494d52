// The console's few pictograms, drawn on a grid of 20. Always decoration: what a button does is said by its name.

const PATHS = {
  home: "M3 9.500 10 3.500l7 6M5 8.500V16.500h10V8.500M8.500 16.500v-4.500h3v4.500",
  statement: "M5 2.500h7l3.500 3.500V17.500H5zM12 2.500v3.500h3.500M7.500 9.500h5.500M7.500 12h5.500M7.500 14.500h3.500",
  whatif: "M3 16.500c4 0 4.500-9 8-9M11 7.500h6M14.500 5l2.500 2.500-2.500 2.500M3 3.500v13h14",
  team: "M7 9.500a2.750 2.750 0 1 0 0-5.500 2.750 2.750 0 0 0 0 5.500M1.800 16.500c.4-3 2.400-4.800 5.200-4.800s4.800 1.800 5.200 4.800M13 9.200a2.300 2.300 0 1 0 0-4.600M14 11.800c2.300.2 3.900 1.900 4.200 4.700",
  question: "M3 4h14v9.500H9.500L6 16.500v-3H3zM8 7.300c.2-1 1-1.600 2-1.600s2 .7 2 1.600c0 1.300-2 1.300-2 2.500M10 11.700v.1",
  formula: "M12.500 3.500c-1.800-.6-3 .3-3.300 2L7.500 15c-.3 1.600-1.300 2.300-2.800 1.800M6 8.500h5.500M12.500 11l4 4.500M16.500 11l-4 4.500",
  change: "M6 3.500v9.500M6 16.500a1.750 1.750 0 1 0 0-3.500 1.750 1.750 0 0 0 0 3.500M14 7a1.750 1.750 0 1 0 0-3.500A1.750 1.750 0 0 0 14 7M14 7v1c0 2.500-8 1.500-8 5",
  run: "M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14M8.500 7.300v5.400l4.300-2.700z",
  extension: "M8 3.500h4v2.800a1.500 1.500 0 0 0 0 0h4.500v4h-1.700a1.600 1.600 0 0 0 0 3.200h1.700v3.500h-13V6.300H8z",
  data: "M10 7.500c3.600 0 6-1 6-2.200S13.600 3 10 3 4 4 4 5.300s2.400 2.200 6 2.200M4 5.300v9.400C4 16 6.400 17 10 17s6-1 6-2.300V5.300M4 10c0 1.300 2.400 2.300 6 2.300s6-1 6-2.300",
  import: "M10 3v9M6.500 8.500 10 12l3.500-3.500M3.500 13.500v3h13v-3",
  audit: "M10 2.500 16 5v4.500c0 4-2.500 6.700-6 8-3.500-1.300-6-4-6-8V5zM7.200 10l2 2 3.600-4",
  schedule: "M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14M10 6v4.200l2.800 1.800",
  users: "M10 9.500a3 3 0 1 0 0-6 3 3 0 0 0 0 6M4 17c.5-3.300 2.800-5.200 6-5.200s5.500 1.900 6 5.200",
  account: "M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14M10 10.500a2.300 2.300 0 1 0 0-4.600 2.300 2.300 0 0 0 0 4.600M5.500 15c.8-1.800 2.400-2.700 4.500-2.700s3.700.9 4.500 2.700",
  search: "M9 14.500a5.500 5.500 0 1 0 0-11 5.500 5.500 0 0 0 0 11M13 13l4 4",
  left: "M12 5l-5 5 5 5",
  right: "M8 5l5 5-5 5",
  down: "M5 7.500l5 5 5-5",
  up: "M5 12.500l5-5 5 5",
  close: "M5 5l10 10M15 5 5 15",
  check: "M4 10.500l4 4 8-9",
  plus: "M10 4v12M4 10h12",
  more: "M4.500 10h.1M10 10h.1M15.500 10h.1",
  sun: "M10 13.500a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7M10 1.800v2M10 16.200v2M1.800 10h2M16.200 10h2M4.200 4.200l1.400 1.400M14.400 14.400l1.400 1.400M4.200 15.800l1.400-1.400M14.400 5.600l1.400-1.400",
  moon: "M16.500 12A7 7 0 0 1 8 3.500 7 7 0 1 0 16.500 12",
  screen: "M3 4h14v9.500H3zM7 17h6M10 13.500V17",
  out: "M8 3.500H4v13h4M12 6.500l3.500 3.500-3.500 3.500M15.500 10H8",
  download: "M10 3v9.500M6 9l4 4 4-4M3.500 16.500h13",
  table: "M3 4h14v12H3zM3 8h14M3 12h14M8 8v8",
  chart: "M3.500 3v13.500H17M6.500 13v-3M10 13V6.500M13.500 13V9",
  link: "M8.500 11.500l3-3M9.500 6.500l1.700-1.700a2.800 2.800 0 0 1 4 4L13.500 10.500M10.500 13.500l-1.700 1.700a2.800 2.800 0 0 1-4-4L6.500 9.500",
  warn: "M10 3.500 17.500 16.500h-15zM10 8.500v3.500M10 14.200v.1",
  menu: "M3 5.500h14M3 10h14M3 14.500h14",
  filter: "M3 4.500h14l-5.500 6.500v5l-3-1.500V11z",
  copy: "M7 7h9v9H7zM4 13V4h9",
  pause: "M7 4.500v11M13 4.500v11",
  trace: "M5 3v10.500h3.500M5 7.500h3.500M11 5.500h6v4h-6zM11 11.500h6v4h-6z",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 18, className = "" }: { name: IconName; size?: number; className?: string }) {
  return (
    <svg
      viewBox="0 0 20 20"
      width={size}
      height={size}
      fill="none"
      stroke="currentColor"
      strokeWidth={name === "more" ? 2.4 : 1.6}
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      className={`shrink-0 ${className}`}
    >
      <path d={PATHS[name]} />
    </svg>
  );
}

export function Logo({ size = 26 }: { size?: number }) {
  return (
    <svg viewBox="0 0 32 32" width={size} height={size} aria-hidden="true" className="shrink-0">
      <rect width="32" height="32" rx="8" fill="#0c6b5e" />
      <path
        d="M6.500 23.500 13 17.500l5 2.500 7.500-11.500"
        fill="none"
        stroke="#fff"
        strokeWidth="3"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
      <circle cx="13" cy="17.500" r="2.600" fill="#ffd9a0" />
    </svg>
  );
}
