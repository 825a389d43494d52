// Buttons and links that look like them. One primary button a view.

import { Link, type LinkProps } from "@tanstack/react-router";
import type { ComponentProps, ReactNode } from "react";
import { Icon, type IconName } from "./Icon";

export type Look = "primary" | "plain" | "quiet" | "danger";

const BASE =
  "inline-flex items-center justify-center gap-1.5 rounded-control font-medium whitespace-nowrap transition-colors select-none disabled:opacity-55 disabled:cursor-not-allowed";

const LOOKS: Record<Look, string> = {
  primary: "bg-accent text-on-accent hover:bg-accent-strong",
  plain: "bg-surface text-ink border border-line-strong hover:bg-sunken",
  quiet: "text-ink-2 hover:bg-sunken hover:text-ink",
  danger: "bg-surface text-bad border border-bad hover:bg-bad-soft",
};

const SIZES = { md: "min-h-9 px-3.5 py-1", sm: "min-h-8 px-2.5 py-0.5 text-[0.87rem]" };

export function buttonLook(look: Look = "plain", size: keyof typeof SIZES = "md"): string {
  return `${BASE} ${LOOKS[look]} ${SIZES[size]}`;
}

export interface ButtonProps extends ComponentProps<"button"> {
  look?: Look;
  size?: keyof typeof SIZES;
  icon?: IconName;
  /** Shows that the act is under way and takes no second click. */
  busy?: boolean;
}

export function Button({ look, size, icon, busy, className = "", children, disabled, type = "button", ...rest }: ButtonProps) {
  return (
    <button
      type={type}
      className={`${buttonLook(look, size)} ${className}`}
      disabled={disabled || busy}
      aria-busy={busy || undefined}
      {...rest}
    >
      {busy ? <Spinner /> : icon ? <Icon name={icon} size={16} /> : null}
      {children}
    </button>
  );
}

/** A square button of one pictogram; `label` is its name for everybody who does not see it. */
export function IconButton({
  icon,
  label,
  size = 18,
  className = "",
  ...rest
}: { icon: IconName; label: string; size?: number } & Omit<ComponentProps<"button">, "children">) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      className={`inline-flex size-9 items-center justify-center rounded-control text-ink-2 transition-colors hover:bg-sunken hover:text-ink disabled:opacity-40 ${className}`}
      {...rest}
    >
      <Icon name={icon} size={size} />
    </button>
  );
}

export function ButtonLink({
  look,
  size,
  icon,
  children,
  className = "",
  ...rest
}: { look?: Look; size?: keyof typeof SIZES; icon?: IconName; children: ReactNode; className?: string } & LinkProps) {
  return (
    <Link className={`${buttonLook(look, size)} ${className}`} {...rest}>
      {icon ? <Icon name={icon} size={16} /> : null}
      {children}
    </Link>
  );
}

/** A link that downloads a file of the server. */
export function DownloadLink({ href, children, look = "plain", size = "sm" }: { href: string; children: ReactNode; look?: Look; size?: keyof typeof SIZES }) {
  return (
    <a className={buttonLook(look, size)} href={href} download>
      <Icon name="download" size={15} />
      {children}
    </a>
  );
}

export function Spinner() {
  return (
    <svg viewBox="0 0 20 20" width={16} height={16} className="animate-spin" aria-hidden="true">
      <circle cx="10" cy="10" r="7" fill="none" stroke="currentColor" strokeWidth="2.500" opacity="0.25" />
      <path d="M10 3a7 7 0 0 1 7 7" fill="none" stroke="currentColor" strokeWidth="2.500" strokeLinecap="round" />
    </svg>
  );
}
