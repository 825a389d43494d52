// A dialog that finds one thing by typing: an input that keeps the focus and a list that the arrows walk through.

import { Dialog as Radix } from "radix-ui";
import { type ReactNode, useEffect, useId, useRef, useState } from "react";
import { Icon, type IconName } from "./Icon";

export interface Found {
  id: string;
  group: string;
  label: string;
  detail?: string;
  icon: IconName;
  onChoose: () => void;
}

export function Finder({
  open,
  onOpenChange,
  title,
  placeholder,
  asked,
  onAsk,
  found,
  nothing,
}: {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  title: string;
  placeholder: string;
  asked: string;
  onAsk: (text: string) => void;
  found: Found[];
  nothing: ReactNode;
}) {
  const id = useId();
  const [at, setAt] = useState(0);
  const list = useRef<HTMLDivElement>(null);
  const chosen = Math.min(at, Math.max(found.length - 1, 0));
  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
  }, [chosen]);
  const choose = (one: Found | undefined) => {
    if (!one) return;
    onOpenChange(false);
    one.onChoose();
  };
  const onKeyDown = (event: React.KeyboardEvent) => {
    if (event.key === "ArrowDown") setAt(Math.min(chosen + 1, found.length - 1));
    else if (event.key === "ArrowUp") setAt(Math.max(chosen - 1, 0));
    else if (event.key === "Enter") choose(found[chosen]);
    else return;
    event.preventDefault();
  };
  return (
    <Radix.Root open={open} onOpenChange={onOpenChange}>
      <Radix.Portal>
        <Radix.Overlay className="fixed inset-0 bg-black/45 fade-in" style={{ zIndex: "var(--z-dialog)" }} />
        <Radix.Content
          aria-describedby={undefined}
          className="fixed inset-x-3 top-[10vh] mx-auto flex max-h-[70vh] max-w-xl flex-col overflow-hidden rounded-card border border-line bg-surface shadow-high fade-in"
          style={{ zIndex: "var(--z-dialog)" }}
        >
          <Radix.Title className="sr-only">{title}</Radix.Title>
          <div className="flex items-center gap-2.5 border-b border-line px-4">
            <Icon name="search" className="text-ink-3" />
            <input
              role="combobox"
              aria-label={title}
              aria-expanded={found.length > 0}
              aria-controls={`${id}-list`}
              aria-activedescendant={found[chosen] ? `${id}-${chosen}` : undefined}
              autoComplete="off"
              spellCheck={false}
              placeholder={placeholder}
              className="h-12 min-w-0 flex-1 bg-transparent outline-none placeholder:text-ink-3"
              value={asked}
              onChange={(event) => {
                setAt(0);
                onAsk(event.target.value);
              }}
              onKeyDown={onKeyDown}
            />
            <kbd className="rounded border border-line px-1.5 py-0.5 text-[0.75rem] text-ink-3">Esc</kbd>
          </div>
          <div ref={list} id={`${id}-list`} role="listbox" aria-label={title} className="min-h-16 overflow-y-auto p-1.5">
            {found.map((one, index) => (
              <div key={one.id} role="presentation">
                {index === 0 || found[index - 1]?.group !== one.group ? (
                  <div role="presentation" className="px-2.5 pt-2 pb-1 text-[0.8rem] text-ink-3">
                    {one.group}
                  </div>
                ) : null}
                <div
                  id={`${id}-${index}`}
                  role="option"
                  tabIndex={-1}
                  aria-selected={index === chosen}
                  className="flex cursor-pointer items-center gap-2.5 rounded-md px-2.5 py-2 aria-selected:bg-sunken"
                  onMouseMove={() => setAt(index)}
                  onClick={() => choose(one)}
                  onKeyDown={onKeyDown}
                >
                  <Icon name={one.icon} size={17} className="text-ink-3" />
                  <span className="min-w-0 truncate">{one.label}</span>
                  {one.detail ? <span className="ml-auto truncate text-[0.83rem] text-ink-3">{one.detail}</span> : null}
                </div>
              </div>
            ))}
          </div>
          {found.length === 0 ? <p className="px-4 pb-5 text-center text-ink-2">{nothing}</p> : null}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
