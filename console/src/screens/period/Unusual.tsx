// Statements of a period that are unusual, and what somebody found when she looked at them.

import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { api, path } from "@/api/client";
import { useRead, useWrite } from "@/api/read";
import { useMay, useSession } from "@/api/session";
import type { Anomalies, Anomaly } from "@/api/work";
import { Badge } from "@/parts/Badge";
import { Button } from "@/parts/Button";
import { Card } from "@/parts/Card";
import { Choices } from "@/parts/Choices";
import { ConfirmDialog } from "@/parts/Dialog";
import { TextArea } from "@/parts/Field";
import { Money } from "@/parts/Money";
import { useNames } from "@/parts/Names";
import { toast } from "@/parts/Toast";
import { Empty, FormProblem, Reading } from "@/parts/states";
import { useUrlState } from "@/url";
import { ago, showInstant } from "@/words";
import { KINDS, byKind, chosen } from "./anomalies";

const SHOWN_FIRST = 20;

const WHICH = [
  { value: undefined, label: "Not looked at" },
  { value: "all", label: "All" },
] as const;

export function Unusual({ period }: { period: string }) {
  const may = useMay();
  const session = useSession();
  const at = path`/periods/${period}/anomalies`;
  const unusual = useRead<Anomalies>(at, { parts: ["work", "runs", "company"], enabled: may("see-all-pay") });
  const [which, setWhich] = useUrlState("unusual");
  const [kind, setKind] = useUrlState("kind");
  const [more, setMore] = useState(false);
  const [reviewing, setReviewing] = useState<Anomaly[] | null>(null);
  if (!may("see-all-pay")) return null;
  return (
    <div id="unusual" className="scroll-mt-4">
      <Card flush title="Unusual statements" aside={unusual.data ? `${unusual.data.unreviewed} of ${unusual.data.items.length} not looked at` : undefined}>
        <div className={unusual.data && unusual.data.items.length > 0 ? "" : "px-4 pb-4 sm:px-5"}>
          <Reading of={unusual} isEmpty={(data) => data.items.length === 0} empty={<Empty icon="check" title="Nothing is unusual" next="Every statement is near what it was, and above zero." />}>
            {(data) => {
              const found = chosen(data.items, kind, which === "all");
              const shown = more ? found : found.slice(0, SHOWN_FIRST);
              const open = found.filter((one) => one.review === null && one.payee_id !== session.payee_id);
              return (
                <>
                  <div className="flex flex-wrap items-center gap-2 px-4 pb-3 sm:px-5">
                    <Choices label="Which statements" choices={WHICH} value={which} onChange={setWhich} />
                    <select aria-label="Kind" className="input !w-auto" value={kind ?? ""} onChange={(event) => setKind(event.target.value || undefined)}>
                      <option value="">All kinds</option>
                      {byKind(data.items).map((each) => (
                        <option key={each.kind} value={each.kind}>
                          {KINDS[each.kind]?.label ?? each.kind} ({each.count})
                        </option>
                      ))}
                    </select>
                    {may("approve-changes") && open.length > 1 ? (
                      <Button size="sm" className="ml-auto" onClick={() => setReviewing(open)}>
                        Looked at all {open.length}…
                      </Button>
                    ) : null}
                  </div>
                  {found.length === 0 ? <p className="border-t border-line px-5 py-8 text-center text-ink-2">Somebody has looked at all of them.</p> : null}
                  <ul className={found.length > 0 ? "divide-y divide-line border-t border-line" : ""}>
                    {shown.map((one) => (
                      <Line key={one.fact} period={period} one={one} onReview={() => setReviewing([one])} />
                    ))}
                  </ul>
                  {found.length > shown.length ? (
                    <div className="flex justify-center border-t border-line py-3">
                      <Button onClick={() => setMore(true)}>Show {found.length - shown.length} more</Button>
                    </div>
                  ) : null}
                </>
              );
            }}
          </Reading>
        </div>
        {reviewing ? <Review at={at} of={reviewing} onClose={() => setReviewing(null)} /> : null}
      </Card>
    </div>
  );
}

function Line({ period, one, onReview }: { period: string; one: Anomaly; onReview: () => void }) {
  const session = useSession();
  const may = useMay();
  const { nameOf } = useNames();
  const { label, against } = KINDS[one.kind] ?? { label: one.kind, against: "" };
  const own = session.payee_id === one.payee_id;
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-1.5 px-4 py-2.5 sm:px-5">
      <span className="min-w-0 flex-1 basis-56">
        <Link className="link font-medium" to="/statements/$period" params={{ period }} search={{ payee: one.payee_id } as never}>
          {one.payee_name}
        </Link>{" "}
        <Badge tone={one.review ? "neutral" : "warn"}>{label}</Badge>
        {one.review ? (
          <span className="block text-[0.9rem] text-ink-2">
            “{one.review.comment}” {nameOf(one.review.reviewed_by)}, <time title={showInstant(one.review.reviewed_at)}>{ago(one.review.reviewed_at)}</time>
          </span>
        ) : null}
      </span>
      {one.value !== null ? (
        <span className="text-right">
          <Money amount={one.value} className="font-medium" />
          {one.against && against ? (
            <span className="block text-[0.83rem] text-ink-3">
              {against} <Money amount={one.against} />
            </span>
          ) : null}
        </span>
      ) : null}
      {may("approve-changes") ? (
        <Button size="sm" look={one.review ? "quiet" : "plain"} disabled={own} title={own ? "It is your own pay; somebody else looks at it." : undefined} onClick={onReview} aria-label={`Looked at: ${one.payee_name}, ${label}`}>
          {one.review ? "Say more" : "Looked at"}
        </Button>
      ) : null}
    </li>
  );
}

/** One, or several with the same words: all of them, or none. */
function Review({ at, of: all, onClose }: { at: string; of: Anomaly[]; onClose: () => void }) {
  const [comment, setComment] = useState("");
  const review = useWrite(
    (text: string, options) => api.post<Anomalies>(`${at}/reviews`, { anomalies: all.map(({ payee_id, kind, fact }) => ({ payee_id, kind, fact })), comment: text }, options),
    {
      refresh: [at],
      onDone: () => {
        onClose();
        toast(all.length === 1 ? "It is marked as looked at." : `${all.length} are marked as looked at.`);
      },
    },
  );
  const [first] = all;
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
      title={all.length === 1 && first ? `Looked at: ${first.payee_name}` : `Looked at ${all.length} statements`}
      description="It counts for these figures. When they change, somebody looks again."
      act="Looked at"
      busy={review.isPending}
      disabled={comment.trim() === ""}
      onConfirm={() => review.mutate(comment.trim())}
    >
      <div className="flex flex-col gap-3.5">
        <TextArea label="What you found" required autoFocus rows={3} maxLength={1_000} value={comment} onChange={(event) => setComment(event.target.value)} />
        <FormProblem error={review.error} />
      </div>
    </ConfirmDialog>
  );
}
