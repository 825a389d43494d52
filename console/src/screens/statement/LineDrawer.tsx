// What one line rests on: the explanation as a tree, all of its credits, and the rule with its text and digest.

import { useMemo, useState } from "react";
import { useRead, usePages } from "@/api/read";
import type { LineCredit, LineRule, StatementLine, TraceNode } from "@/api/types";
import { measure, money, percent } from "@/money";
import { Badge } from "@/parts/Badge";
import { Button, IconButton } from "@/parts/Button";
import { type Column, DataTable } from "@/parts/DataTable";
import { Drawer } from "@/parts/Drawer";
import { Money } from "@/parts/Money";
import { Tabs } from "@/parts/Tabs";
import { TraceTree } from "@/parts/Trace";
import { Failed, Loading, Reading } from "@/parts/states";
import { useUrlState } from "@/url";
import { plain, showDay } from "@/words";
import { componentLines } from "./componentLines";
import { RULELESS } from "./kinds";

const PARTS = ["company", "runs"] as const;

export default function LineDrawer({
  at,
  payeeId,
  line,
  whole,
  currency,
  title,
  onClose,
  onAsk,
  onDispute,
}: {
  /** The path of the payee's period. */
  at: string;
  payeeId: string;
  line: StatementLine | null;
  whole: boolean;
  currency: string;
  title: string;
  onClose: () => void;
  onAsk: (() => void) | null;
  onDispute: (() => void) | null;
}) {
  const [show, setShow] = useUrlState("show");
  return (
    <Drawer
      open={line !== null || whole}
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
      title={
        line ? (
          <span className="flex flex-wrap items-baseline gap-x-3">
            {title}
            <Money amount={line.amount} currency={currency} className="text-accent" />
          </span>
        ) : (
          title
        )
      }
      description="Every step rests on the ones under it, down to the row that was imported."
      footer={
        onAsk || onDispute ? (
          <>
            {onDispute ? (
              <Button icon="dispute" onClick={onDispute}>
                {line ? "Dispute this line" : "Dispute this statement"}
              </Button>
            ) : null}
            {onAsk ? (
              <Button icon="question" onClick={onAsk}>
                {line ? "Ask about this line" : "Ask about this statement"}
              </Button>
            ) : null}
          </>
        ) : undefined
      }
    >
      {line ? (
        <Tabs
          label="What the line rests on"
          value={RULELESS.includes(line.kind) ? "explanation" : (show ?? "explanation")}
          onChange={(next) => setShow(next === "explanation" ? undefined : next)}
          tabs={[
            { value: "explanation", label: "Explanation", content: <Explanation at={at} line={line.line} /> },
            ...(RULELESS.includes(line.kind)
              ? []
              : [
                  { value: "credits", label: "Credits", content: <Credits at={at} payeeId={payeeId} line={line.line} /> },
                  { value: "rule", label: "Rule", content: <Rule at={at} line={line.line} /> },
                ]),
          ]}
        />
      ) : whole ? (
        <Explanation at={at} line={null} />
      ) : null}
    </Drawer>
  );
}

function Explanation({ at, line }: { at: string; line: number | null }) {
  const tree = useRead<TraceNode>(`${at}/explanation`, { query: { line }, parts: PARTS });
  return <Reading of={tree}>{(found) => <TraceTree key={`${at} ${line}`} tree={found} />}</Reading>;
}

function creditColumns(payeeId: string): Column<LineCredit>[] {
  return [
    { id: "on", header: "Day", wideOnly: true, value: (row) => row.on, cell: (row) => <span className="num">{showDay(row.on)}</span> },
    {
      id: "account",
      header: "Deal",
      value: (row) => `${row.account} ${row.transaction_id}`,
      cell: (row) => (
        <span className="block min-w-0">
          <span className="block">{row.account ?? row.account_id ?? row.transaction_id}</span>
          <span className="block text-[0.8rem] text-ink-3">
            <span className="sm:hidden">{showDay(row.on)} · </span>
            {[row.transaction_id, row.product_id, plain(row.kind)].filter(Boolean).join(" · ")}
            {row.origin_payee_id && row.origin_payee_id !== payeeId ? ` from ${row.origin_payee_id}` : ""}
          </span>
        </span>
      ),
    },
    {
      id: "of",
      header: "Of",
      wideOnly: true,
      align: "right",
      value: (row) => row.transaction_amount,
      cell: (row) => (
        <span>
          {row.transaction_amount ? money(row.transaction_amount, row.currency) : "–"}
          {row.share && row.share !== "1" ? <span className="block text-[0.8rem] text-ink-3">{percent(row.share, 2)}</span> : null}
        </span>
      ),
    },
    { id: "amount", header: "Credited", align: "right", value: (row) => row.amount, cell: (row) => <span className="font-medium">{measure(row.amount)}</span> },
  ];
}

function Credits({ at, payeeId, line }: { at: string; payeeId: string; line: number }) {
  const pages = usePages<LineCredit>(`${at}/lines/${line}/credits`, { parts: PARTS });
  const columns = useMemo(() => creditColumns(payeeId), [payeeId]);
  const [open, setOpen] = useState<LineCredit | null>(null);
  if (pages.error) return <Failed error={pages.error} retry={pages.retry} />;
  if (pages.isPending) return <Loading />;
  return (
    <div className="flex flex-col gap-3">
      {open ? <CreditTrail at={at} line={line} credit={open} onClose={() => setOpen(null)} /> : null}
      <div className="rounded-card border border-line">
        <DataTable
          label="Credits of this line"
          columns={columns}
          rows={pages.items}
          rowKey={(row) => `${row.transaction_id} ${row.rule} ${row.origin_payee_id} ${row.amount}`}
          onRow={setOpen}
          filterable
          total={pages.total}
          hasMore={pages.hasMore}
          onMore={pages.more}
          height="58vh"
          empty={<p className="px-4 py-8 text-center text-ink-2">No deal counts towards this line.</p>}
        />
      </div>
    </div>
  );
}

function creditsOf(node: TraceNode, transactionId: string): TraceNode[] {
  if (node.step === "credit") return node.fields.transaction_id === transactionId ? [node] : [];
  return node.children.flatMap((child) => creditsOf(child, transactionId));
}

/** One credit down to the source row, out of the explanation of the line. */
function CreditTrail({ at, line, credit, onClose }: { at: string; line: number; credit: LineCredit; onClose: () => void }) {
  const tree = useRead<TraceNode>(`${at}/explanation`, { query: { line }, parts: PARTS });
  return (
    <section aria-label={`Where ${credit.transaction_id} comes from`} className="rounded-card bg-sunken p-3">
      <div className="flex items-center justify-between gap-2">
        <h3 className="font-medium">{credit.transaction_id}</h3>
        <IconButton icon="close" label="Close" size={16} onClick={onClose} />
      </div>
      <Reading of={tree}>
        {(found) => {
          const credits = creditsOf(found, credit.transaction_id);
          if (credits.length === 0) return <p className="text-ink-2">The explanation does not show this credit; the figures may just have changed.</p>;
          return credits.map((node, index) => <TraceTree key={`${credit.transaction_id} ${index}`} tree={node} label={credit.transaction_id} />);
        }}
      </Reading>
    </section>
  );
}

function Rule({ at, line }: { at: string; line: number }) {
  const rule = useRead<LineRule>(`${at}/lines/${line}/rule`, { parts: PARTS });
  const [all, setAll] = useState(false);
  return (
    <Reading of={rule}>
      {(found) => {
        const part = componentLines(found.plan_text, found.component_id);
        const lines = found.plan_text.split("\n");
        const shown = all || !part ? lines : lines.slice(part.from, part.until);
        return (
          <div className="flex flex-col gap-5">
            <section className="flex flex-col gap-2">
              <div className="flex flex-wrap items-center justify-between gap-2">
                <h3 className="font-semibold">{found.plan_file}</h3>
                {part ? (
                  <Button size="sm" look="quiet" onClick={() => setAll(!all)}>
                    {all ? "Only this component" : "Whole file"}
                  </Button>
                ) : null}
              </div>
              <Code lines={shown} strong={all && part ? part : null} label={`Text of ${found.plan_file}`} />
              <Digest digest={found.plan_digest} />
            </section>
            <section className="flex flex-col gap-2">
              <h3 className="flex flex-wrap items-center gap-2 font-semibold">
                Formula {found.formula.name} {found.formula.version}
                <Badge>{found.formula.origin === "wasm" ? "Wasm plugin" : "Rhai script"}</Badge>
              </h3>
              {found.formula.source ? (
                <Code lines={found.formula.source.split("\n")} strong={null} label={`Source of ${found.formula.name}`} />
              ) : (
                <p className="text-ink-2">A compiled plugin: its digest says exactly which one calculated this line.</p>
              )}
              <Digest digest={found.formula.digest} />
            </section>
          </div>
        );
      }}
    </Reading>
  );
}

function Code({ lines, strong, label }: { lines: string[]; strong: { from: number; until: number } | null; label: string }) {
  return (
    <pre className="max-h-[45vh] overflow-auto rounded-card bg-sunken py-3 font-mono text-[0.83rem] leading-relaxed" tabIndex={0} role="region" aria-label={label}>
      {lines.map((line, at) => (
        <span key={at} className={`block px-4 ${strong && at >= strong.from && at < strong.until ? "bg-accent-soft" : ""}`}>
          {line || " "}
        </span>
      ))}
    </pre>
  );
}

function Digest({ digest }: { digest: string }) {
  return (
    <p className="text-[0.83rem] text-ink-3">
      BLAKE3 <span className="font-mono break-all">{digest}</span>
    </p>
  );
}
