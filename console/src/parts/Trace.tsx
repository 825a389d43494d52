// Why an amount is what it is: the server's explanation as a tree of sentences. Each step opens to what it rests on, down to the
// source row; arrow keys walk it as in any tree.

import { type ReactNode, useMemo, useRef, useState } from "react";
import { useRead } from "@/api/read";
import type { TraceNode } from "@/api/types";
import { path } from "@/api/client";
import { number } from "@/money";
import { plain } from "@/words";
import { Drawer } from "./Dialog";
import { Icon } from "./Icon";
import { Reading } from "./states";

const STEPS: Record<string, string> = {
  payout: "Paid",
  earning: "Earned",
  rule: "Rule",
  extension: "Formula",
  slice: "Slice",
  credits: "Credits",
  credit: "Credit",
  transaction: "Transaction",
  source: "Source row",
  more: "More",
};

interface Flat {
  id: string;
  node: TraceNode;
  level: number;
  parent: string | null;
  position: number;
  siblings: number;
}

function flatten(node: TraceNode, open: ReadonlySet<string>, id = "0", level = 1, parent: string | null = null, position = 1, siblings = 1): Flat[] {
  const own: Flat = { id, node, level, parent, position, siblings };
  if (!open.has(id)) return [own];
  return [own, ...node.children.flatMap((child, at) => flatten(child, open, `${id}.${at}`, level + 1, id, at + 1, node.children.length))];
}

/** Open at first: the way to the slices and the heading of the credits, not each credit. */
function firstOpen(node: TraceNode, id = "0", open = new Set<string>()): Set<string> {
  if (node.step === "payout" || node.step === "earning" || id === "0") {
    open.add(id);
    node.children.forEach((child, at) => firstOpen(child, `${id}.${at}`, open));
  }
  return open;
}

export function TraceTree({ tree, label = "Explanation" }: { tree: TraceNode; label?: string }) {
  const [open, setOpen] = useState(() => firstOpen(tree));
  const [facts, setFacts] = useState<string | null>(null);
  const [active, setActive] = useState("0");
  const list = useRef<HTMLUListElement>(null);
  const rows = useMemo(() => flatten(tree, open), [tree, open]);

  const focus = (id: string | null | undefined) => {
    if (!id) return;
    setActive(id);
    requestAnimationFrame(() => list.current?.querySelector<HTMLElement>(`[data-id="${id}"]`)?.focus());
  };
  const set = (id: string, shown: boolean) => {
    setOpen((before) => {
      const now = new Set(before);
      if (shown) now.add(id);
      else now.delete(id);
      return now;
    });
  };
  const onKeyDown = (event: React.KeyboardEvent, row: Flat) => {
    const at = rows.findIndex((other) => other.id === row.id);
    const isOpen = open.has(row.id);
    const deeper = row.node.children.length > 0;
    switch (event.key) {
      case "ArrowDown":
        focus(rows[at + 1]?.id);
        break;
      case "ArrowUp":
        focus(rows[at - 1]?.id);
        break;
      case "ArrowRight":
        if (deeper && !isOpen) set(row.id, true);
        else if (deeper) focus(rows[at + 1]?.id);
        break;
      case "ArrowLeft":
        if (deeper && isOpen) set(row.id, false);
        else focus(row.parent);
        break;
      case "Home":
        focus(rows[0]?.id);
        break;
      case "End":
        focus(rows.at(-1)?.id);
        break;
      case "Enter":
      case " ":
        if (deeper) set(row.id, !isOpen);
        else setFacts(facts === row.id ? null : row.id);
        break;
      case "f":
        setFacts(facts === row.id ? null : row.id);
        break;
      default:
        return;
    }
    event.preventDefault();
  };

  return (
    <ul ref={list} role="tree" aria-label={label} className="flex flex-col">
      {rows.map((row) => {
        const deeper = row.node.children.length > 0;
        const isOpen = open.has(row.id);
        const hasFacts = Object.keys(row.node.fields).length > 0;
        return (
          <li
            key={row.id}
            data-id={row.id}
            role="treeitem"
            aria-level={row.level}
            aria-posinset={row.position}
            aria-setsize={row.siblings}
            aria-expanded={deeper ? isOpen : undefined}
            aria-selected={active === row.id}
            tabIndex={active === row.id ? 0 : -1}
            onKeyDown={(event) => onKeyDown(event, row)}
            onFocus={() => setActive(row.id)}
            onClick={() => (deeper ? set(row.id, !isOpen) : setFacts(facts === row.id ? null : row.id))}
            className="cursor-pointer rounded-md py-1.5 pr-1.5 hover:bg-sunken"
            style={{ paddingLeft: `${0.25 + (row.level - 1) * 1.1}rem` }}
          >
            <div className="flex items-start gap-1.5">
              <Icon
                name="right"
                size={15}
                className={`mt-1 text-ink-3 transition-transform ${deeper ? "" : "invisible"} ${isOpen ? "rotate-90" : ""}`}
              />
              <div className="min-w-0 flex-1">
                <span className="text-[0.78rem] text-ink-3">{STEPS[row.node.step] ?? plain(row.node.step, true)}</span>
                <p className="num leading-snug !whitespace-normal [overflow-wrap:anywhere]">{row.node.step === "extension" || row.node.step === "source" ? row.node.text : figures(row.node.text)}</p>
                {facts === row.id && hasFacts ? <Facts fields={row.node.fields} /> : null}
              </div>
              {hasFacts ? (
                <span
                  aria-hidden="true"
                  title="Show the record (key F)"
                  onClick={(event) => {
                    event.stopPropagation();
                    setActive(row.id);
                    setFacts(facts === row.id ? null : row.id);
                  }}
                  className={`mt-0.5 rounded-md px-1.5 py-0.5 text-[0.78rem] ${facts === row.id ? "bg-accent-soft text-accent" : "text-ink-3 hover:text-ink"}`}
                >
                  record
                </span>
              ) : null}
            </div>
          </li>
        );
      })}
    </ul>
  );
}

/** Numbers that name something instead of counting it. */
const NAMED = "(?<!\\b(?:line|tier|clause|import|version) )";
const FIGURE = new RegExp(`(${NAMED}(?<![\\w.,@-])-?\\d+(?:\\.\\d+)?(?: %)?(?![\\w-]|\\.\\d))`);

/** The amounts of a sentence with their separators and a little stronger than its words; ids, days and versions are left alone. */
function figures(text: string): ReactNode {
  return text.split(FIGURE).map((part, at) => {
    if (at % 2 === 0) return part;
    const [value = part, unit] = part.split(" ");
    return (
      <strong key={at} className="font-semibold">
        {number(value, 8)}
        {unit ? `\u00a0${unit}` : ""}
      </strong>
    );
  });
}

export function Facts({ fields }: { fields: Record<string, string> }) {
  return (
    <dl className="mt-1.5 grid grid-cols-[max-content_1fr] gap-x-4 gap-y-0.5 rounded-md bg-sunken px-3 py-2 text-[0.87rem]">
      {Object.entries(fields).map(([name, value]) => (
        <div key={name} className="contents">
          <dt className="text-ink-3">{plain(name)}</dt>
          <dd className="num !whitespace-normal [overflow-wrap:anywhere]">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

export interface Traced {
  payeeId: string;
  periodId: string;
  /** Without a line: the whole statement. */
  line: number | null;
  title: string;
}

/** The explanation of one line, asked for when it is opened. */
export function TraceDrawer({ of: traced, onClose, children }: { of: Traced | null; onClose: () => void; children?: ReactNode }) {
  return (
    <Drawer
      open={traced !== null}
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
      title={traced?.title ?? ""}
      description="Every step rests on the ones under it, down to the row that was imported."
    >
      {traced ? <Asked traced={traced} /> : null}
      {children}
    </Drawer>
  );
}

function Asked({ traced }: { traced: Traced }) {
  const tree = useRead<TraceNode>(path`/payees/${traced.payeeId}/periods/${traced.periodId}/explanation`, {
    query: { line: traced.line },
    parts: ["company", "runs"],
  });
  return <Reading of={tree}>{(found) => <TraceTree key={`${traced.line}`} tree={found} />}</Reading>;
}
