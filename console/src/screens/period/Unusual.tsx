// Statements of a period that are unusual, and what somebody found when she looked at them.

import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { api, path } from "@/api/client";
import { useRead, useWrite } from "@/api/read";
import { useMay, useSession } from "@/api/session";
import type { Anomalies, Anomaly, AnomalyKind } from "@/api/work";
import { Badge } from "@/parts/Badge";
import { Button } from "@/parts/Button";
import { Card } from "@/parts/Card";
import { ConfirmDialog } from "@/parts/Dialog";
import { TextArea } from "@/parts/Field";
import { Money } from "@/parts/Money";
import { useNames } from "@/parts/Names";
import { toast } from "@/parts/Toast";
import { Empty, FormProblem, Reading } from "@/parts/states";
import { ago, showInstant } from "@/words";

const KINDS: Record<AnomalyKind, { label: string; against: string }> = {
  "off-trend": { label: "far from the months before", against: "median" },
  "zero-after-pay": { label: "nothing after pay", against: "before" },
  "above-target": { label: "many times the target", against: "target" },
  "without-plan": { label: "new and on no plan", against: "" },
  negative: { label: "below zero", against: "" },
  "large-adjustment": { label: "large adjustment", against: "" },
};

export function Unusual({ period }: { period: string }) {
  const may = useMay();
  const at = path`/periods/${period}/anomalies`;
  const unusual = useRead<Anomalies>(at, { parts: ["work", "runs", "company"], enabled: may("see-all-pay") });
  const [reviewing, setReviewing] = useState<Anomaly | null>(null);
  if (!may("see-all-pay")) return null;
  return (
    <div id="unusual" className="scroll-mt-4">
      <Card flush title="Unusual statements" aside={unusual.data ? `${unusual.data.unreviewed} not looked at` : undefined}>
        <div className={unusual.data && unusual.data.items.length > 0 ? "" : "px-4 pb-4 sm:px-5"}>
          <Reading of={unusual} isEmpty={(data) => data.items.length === 0} empty={<Empty icon="check" title="Nothing is unusual" next="Every statement is near what it was, and above zero." />}>
            {(data) => (
              <ul className="divide-y divide-line border-t border-line">
                {data.items.map((one) => (
                  <Line key={one.fact} period={period} one={one} onReview={() => setReviewing(one)} />
                ))}
              </ul>
            )}
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

function Review({ at, of: one, onClose }: { at: string; of: Anomaly; onClose: () => void }) {
  const [comment, setComment] = useState("");
  const review = useWrite((given: { payee_id: string; kind: AnomalyKind; fact: string; comment: string }, options) => api.post<Anomaly>(`${at}/reviews`, given, options), {
    refresh: [at],
    onDone: () => {
      onClose();
      toast("It is marked as looked at.");
    },
  });
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
      title={`Looked at: ${one.payee_name}`}
      description="It counts for these figures. When they change, somebody looks again."
      act="Looked at"
      busy={review.isPending}
      disabled={comment.trim() === ""}
      onConfirm={() => review.mutate({ payee_id: one.payee_id, kind: one.kind, fact: one.fact, comment: comment.trim() })}
    >
      <div className="flex flex-col gap-3.5">
        <TextArea label="What you found" required autoFocus rows={3} maxLength={1_000} value={comment} onChange={(event) => setComment(event.target.value)} />
        <FormProblem error={review.error} />
      </div>
    </ConfirmDialog>
  );
}
