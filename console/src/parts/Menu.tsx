// A list of acts behind one button.

import { DropdownMenu as Radix } from "radix-ui";
import type { ReactNode } from "react";
import { Icon, type IconName } from "./Icon";

export type MenuItem =
  | { kind?: "act"; label: ReactNode; icon?: IconName; onSelect: () => void; disabled?: boolean; danger?: boolean }
  | { kind: "choice"; label: ReactNode; icon?: IconName; checked: boolean; onSelect: () => void }
  | { kind: "heading"; label: ReactNode }
  | { kind: "line" };

const ITEM =
  "flex items-center gap-2.5 rounded-md px-2.5 py-1.5 outline-none select-none cursor-pointer data-[highlighted]:bg-sunken data-[disabled]:opacity-50 data-[disabled]:cursor-not-allowed";

/** `trigger` is one button element. */
export function Menu({ trigger, items, label, align = "end" }: { trigger: ReactNode; items: MenuItem[]; label: string; align?: "start" | "end" }) {
  return (
    <Radix.Root modal={false}>
      <Radix.Trigger asChild>{trigger}</Radix.Trigger>
      <Radix.Portal>
        <Radix.Content
          align={align}
          sideOffset={6}
          collisionPadding={8}
          aria-label={label}
          className="min-w-52 rounded-card border border-line bg-surface p-1.5 shadow-high fade-in"
          style={{ zIndex: "var(--z-menu)" }}
        >
          {items.map((item, at) => {
            if (item.kind === "line") return <Radix.Separator key={at} className="my-1.5 h-px bg-line" />;
            if (item.kind === "heading")
              return (
                <Radix.Label key={at} className="px-2.5 pt-1 pb-1.5 text-[0.83rem] text-ink-3">
                  {item.label}
                </Radix.Label>
              );
            if (item.kind === "choice")
              return (
                <Radix.CheckboxItem key={at} checked={item.checked} onSelect={item.onSelect} className={ITEM}>
                  {item.icon ? <Icon name={item.icon} size={16} className="text-ink-3" /> : null}
                  <span className="flex-1">{item.label}</span>
                  {item.checked ? <Icon name="check" size={16} className="text-accent" /> : null}
                </Radix.CheckboxItem>
              );
            return (
              <Radix.Item
                key={at}
                onSelect={item.onSelect}
                disabled={item.disabled}
                className={`${ITEM} ${item.danger ? "text-bad" : ""}`}
              >
                {item.icon ? <Icon name={item.icon} size={16} className={item.danger ? "" : "text-ink-3"} /> : null}
                {item.label}
              </Radix.Item>
            );
          })}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
