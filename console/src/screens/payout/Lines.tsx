// What each payee gets, what waits and why, and the marks of reviewers.

import { Link } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { api } from "@/api/client";
import { useWrite } from "@/api/read";
import { useMay, useSession } from "@/api/session";
import type { MarkKind, Payout, PayoutLine } from "@/api/settlement";
import { number, sign, subtract } from "@/money";
import { Badge, StateBadge } from "@/parts/Badge";
import { IconButton } from "@/parts/Button";
import { Card } from "@/parts/Card";
import { Choices } from "@/parts/Choices";
import { type Column, DataTable } from "@/parts/DataTable";
import { ConfirmDialog } from "@/parts/Dialog";
import { Drawer } from "@/parts/Drawer";
import { TextField } from "@/parts/Field";
import { Menu, type MenuItem } from "@/parts/Menu";
import { Difference, Money } from "@/parts/Money";
import { Pairs } from "@/parts/Pairs";
import { toast } from "@/parts/Toast";
import { FormProblem } from "@/parts/states";
import { acts, byAttention, flagWords } from "@/screens/payouts/steps";
import { useUrlState } from "@/url";
import { plain, showDay } from "@/words";

type Marking = { line: PayoutLine; kind: MarkKind } | { line: PayoutLine; kind: "return" };

const MARKS: Record<MarkKind | "return", { act: string; says: string }> = {
  excluded: { act: "Exclude", says: "Not in this payout. What is due waits for the next one." },
  disputed: { act: "Mark as disputed", says: "It stays as it is until that is settled; the payout is not approved before." },
  "on-hold": { act: "Put on hold", says: "The payout is not approved before it is released." },
  none: { act: "Take the mark away", says: "It is paid with the others again." },
  return: { act: "Record a return", says: "The bank sent the payment back. It is due again in a new payout." },
};

const toLookAt = (line: PayoutLine) => line.flags.length > 0 || line.mark !== null || line.reasons.length > 0;

export function Lines({ at, payout }: { at: string; payout: Payout }) {
  const may = useMay();
  const [show, setShow] = useUrlState("show");
  const [open, setOpen] = useState<PayoutLine | null>(null);
  const [marking, setMarking] = useState<Marking | null>(null);
  const possible = may("manage-payouts") ? acts(payout.state) : [];
  const rows = useMemo(() => {
    const sorted = byAttention(payout.lines);
    if (show === "flagged") return sorted.filter(toLookAt);
    return show ? sorted.filter((line) => line.state === show) : sorted;
  }, [payout.lines, show]);
  const flagged = payout.lines.filter(toLookAt).length;
  const choices = [
    { value: undefined, label: `All ${payout.lines.length}` },
    { value: "flagged", label: `To look at ${flagged}` },
    ...(["left", "excluded", "returned"] as const).filter((state) => payout.lines.some((line) => line.state === state)).map((state) => ({ value: state as string, label: plain(state, true) })),
  ];
  const columns: Column<PayoutLine>[] = [
    {
      id: "payee",
      header: "Payee",
      value: (line) => `${line.payee_name} ${line.payee_id}`,
      cell: (line) => (
        <span className="block min-w-0">
          <span className="block font-medium">{line.payee_name}</span>
          <span className="flex flex-wrap gap-1 pt-0.5">
            {line.state === "due" ? null : <StateBadge state={line.state} />}
            {line.mark && line.mark.kind !== line.state ? <StateBadge state={line.mark.kind} /> : null}
            {line.reasons.map((reason) => (
              <Badge key={reason.id} tone={reason.blocks ? "bad" : "warn"} title={reason.text}>
                {reason.kind === "hold" ? "held pay" : reason.blocks ? "dispute holds pay" : "open dispute"}
              </Badge>
            ))}
            {line.flags.map((flag) => (
              <Badge key={flag} tone="warn" title={flagWords(flag)}>
                {plain(flag)}
              </Badge>
            ))}
          </span>
        </span>
      ),
    },
    {
      id: "before",
      header: "Before",
      align: "right",
      wideOnly: true,
      value: (line) => line.before_amount,
      cell: (line) =>
        line.before_amount === null ? (
          <span className="text-ink-3">–</span>
        ) : (
          <span>
            <Money amount={line.before_amount} currency={payout.company_currency} className="text-ink-2" /> <Difference amount={subtract(line.company_amount, line.before_amount)} currency={payout.company_currency} className="text-[0.87rem]" />
          </span>
        ),
    },
    { id: "left", header: "Waits", align: "right", wideOnly: true, value: (line) => line.left_amount, cell: (line) => (sign(line.left_amount) === 0 ? <span className="text-ink-3">–</span> : <Money amount={line.left_amount} currency={payout.company_currency} className="text-ink-2" />) },
    { id: "amount", header: "Paid", align: "right", value: (line) => line.amount, cell: (line) => <Money amount={line.amount} currency={payout.currency} className="font-semibold" /> },
    {
      id: "acts",
      header: "Acts",
      sortable: false,
      value: () => "",
      cell: (line) => {
        const items = itemsOf(line, possible, setMarking);
        return items.length === 0 ? null : <Menu label={`Acts on ${line.payee_name}`} trigger={<IconButton icon="more" label={`Acts on ${line.payee_name}`} />} items={items} />;
      },
    },
  ];
  return (
    <Card flush>
      <DataTable
        label="Payments"
        columns={columns.filter((column) => column.id !== "acts" || possible.includes("mark") || possible.includes("return"))}
        rows={rows}
        rowKey={(line) => line.payee_id}
        onRow={setOpen}
        filterable
        toolbar={<Choices label="Which payments" choices={choices} value={show} onChange={setShow} />}
        empty={<p className="px-4 py-8 text-center text-ink-2">No payment is like that.</p>}
      />
      {open ? <Detail payout={payout} line={open} onClose={() => setOpen(null)} /> : null}
      {marking ? <Mark at={at} payout={payout} marking={marking} onClose={() => setMarking(null)} /> : null}
    </Card>
  );
}

function itemsOf(line: PayoutLine, possible: string[], set: (marking: Marking) => void): MenuItem[] {
  if (possible.includes("return")) return line.state === "due" ? [{ label: "The bank sent it back…", onSelect: () => set({ line, kind: "return" }) }] : [];
  if (!possible.includes("mark")) return [];
  const kinds: MarkKind[] = ["excluded", "disputed", "on-hold"];
  const items: MenuItem[] = kinds.filter((kind) => line.mark?.kind !== kind).map((kind) => ({ label: `${MARKS[kind].act}…`, onSelect: () => set({ line, kind }) }));
  if (line.mark) items.push({ kind: "line" }, { label: `${MARKS.none.act}…`, onSelect: () => set({ line, kind: "none" }) });
  return items;
}

function Mark({ at, payout, marking, onClose }: { at: string; payout: Payout; marking: Marking; onClose: () => void }) {
  const session = useSession();
  const [reason, setReason] = useState("");
  const [on, setOn] = useState(session.today);
  const { line, kind } = marking;
  const { act, says } = MARKS[kind];
  const send = useWrite(
    (given: string, options) =>
      kind === "return"
        ? api.post<Payout>(`${at}/returns`, { payee_id: line.payee_id, returned_on: on, reason: given }, options)
        : api.post<Payout>(`${at}/marks`, { payee_id: line.payee_id, kind, reason: given }, options),
    {
      refresh: [at, "/payouts"],
      onDone: (now) => {
        onClose();
        toast(now.state !== payout.state ? `Done; the payout is ${now.state} again.` : "Done.");
      },
    },
  );
  const go = () => {
    if (reason.trim()) send.mutate(reason.trim());
  };
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
      title={`${act}: ${line.payee_name}`}
      description={says}
      act={act}
      busy={send.isPending}
      disabled={reason.trim() === ""}
      onConfirm={go}
    >
      <form
        className="flex flex-col gap-3.5"
        onSubmit={(event) => {
          event.preventDefault();
          go();
        }}
      >
        {kind === "return" ? <TextField label="Came back on" type="date" required value={on} onChange={(event) => setOn(event.target.value)} /> : null}
        <TextField label="Why" required autoFocus maxLength={500} value={reason} onChange={(event) => setReason(event.target.value)} />
        <FormProblem error={send.error} />
        <button type="submit" className="hidden" tabIndex={-1} aria-hidden="true" />
      </form>
    </ConfirmDialog>
  );
}

function Detail({ payout, line, onClose }: { payout: Payout; line: PayoutLine; onClose: () => void }) {
  return (
    <Drawer
      open
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
      title={
        <span className="flex flex-wrap items-baseline gap-x-3">
          {line.payee_name}
          <Money amount={line.amount} currency={payout.currency} className="text-accent" />
        </span>
      }
      description={`Reference ${line.reference}`}
    >
      <div className="flex flex-col gap-5">
        <Pairs
          pairs={[
            ["State", <StateBadge key="state" state={line.state} />],
            payout.currency !== payout.company_currency && ["In company currency", <Money key="company" amount={line.company_amount} currency={payout.company_currency} />],
            line.before_amount !== null && ["Before the last refresh", <Money key="before" amount={line.before_amount} currency={payout.company_currency} />],
            sign(line.left_amount) !== 0 && ["Due, and not in it", <Money key="left" amount={line.left_amount} currency={payout.company_currency} />],
            sign(line.residue) !== 0 && ["Left by rounding", number(line.residue)],
            line.flags.length > 0 && ["To look at", line.flags.map(flagWords).join(", ")],
            line.mark && ["Mark", `${plain(line.mark.kind)}: ${line.mark.reason}`],
            line.returned && ["Came back", `${showDay(line.returned.returned_on)}: ${line.returned.reason}`],
          ]}
        />
        {line.reasons.length > 0 ? (
          <section>
            <h3 className="pb-2 font-semibold">To know before it is paid</h3>
            <ul className="divide-y divide-line rounded-card border border-line">
              {line.reasons.map((reason) => (
                <li key={reason.id} className="px-3.5 py-2 text-[0.93rem] [overflow-wrap:anywhere]">
                  {reason.kind === "dispute" ? (
                    <Link className="link" to="/disputes/$id" params={{ id: reason.id }}>
                      {reason.text}
                    </Link>
                  ) : (
                    reason.text
                  )}
                  {reason.blocks ? <span className="block text-[0.87rem] text-loss">The payout waits for it, unless the payee is excluded.</span> : null}
                </li>
              ))}
            </ul>
          </section>
        ) : null}
        <p>
          <Link className="link" to="/statements/$period" params={{ period: payout.period_id }} search={{ payee: line.payee_id } as never}>
            Open the statement
          </Link>
        </p>
        {line.rates.length > 0 ? (
          <section>
            <h3 className="pb-2 font-semibold">Rates of exchange</h3>
            <ul className="divide-y divide-line rounded-card border border-line">
              {line.rates.map((rate, index) => (
                <li key={index} className="num px-3.5 py-2 text-[0.93rem] !whitespace-normal">
                  <Money amount={rate.company_amount} currency={payout.company_currency} /> × {number(rate.rate)} = {number(rate.converted, 8)} {payout.currency}
                  <span className="block text-[0.83rem] text-ink-3">
                    {rate.component_id || "the payment as a whole"} · {rate.quote} · {plain(rate.policy)} · {showDay(rate.rate_on)}
                  </span>
                </li>
              ))}
            </ul>
          </section>
        ) : null}
      </div>
    </Drawer>
  );
}
