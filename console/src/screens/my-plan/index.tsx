// The plans that one is paid by, as documents: what waits for an answer first, then those that were answered.

import { Link } from "@tanstack/react-router";
import { useRead } from "@/api/read";
import { useSession } from "@/api/session";
import type { Page } from "@/api/types";
import type { PlanDocumentHead } from "@/api/work";
import { StateBadge } from "@/parts/Badge";
import { Icon } from "@/parts/Icon";
import { Screen } from "@/parts/Screen";
import { Denied } from "@/parts/Shell";
import { Empty, Reading } from "@/parts/states";
import { shownState, waitingFirst } from "@/screens/plan-documents/words";
import { ago, showDay, showInstant } from "@/words";

export default function MyPlan() {
  const session = useSession();
  return session.payee_id ? <MyPlanScreen payeeId={session.payee_id} /> : <Denied />;
}

function MyPlanScreen({ payeeId }: { payeeId: string }) {
  const documents = useRead<Page<PlanDocumentHead>>("/plan-documents", { query: { payee: payeeId, limit: 200 }, parts: ["work", "company"] });
  const waiting = documents.data?.items.filter((one) => one.state === "sent").length ?? 0;
  return (
    <Screen title="My plan" lead={waiting > 0 ? `${waiting === 1 ? "One plan waits" : `${waiting} plans wait`} for your answer.` : "What you are paid by, in words, as it was sent to you."}>
      <Reading
        of={documents}
        isEmpty={(data) => data.items.length === 0}
        empty={
          <div className="card">
            <Empty icon="plan" title="No plan was sent to you yet" next="Whoever runs plans sends you yours as a document. You accept it here, or return it with a comment." />
          </div>
        }
      >
        {(data) => (
          <ul className="card divide-y divide-line overflow-hidden" aria-label="My plans">
            {waitingFirst(data.items).map((one) => (
              <li key={one.document_id}>
                <Link to="/plan-documents/$id" params={{ id: one.document_id }} className="flex items-center gap-3 px-4 py-3 hover:bg-sunken sm:px-5">
                  <span className="min-w-0 flex-1">
                    <span className="block truncate font-medium">{one.plan_id}</span>
                    <span className="block text-[0.87rem] text-ink-3">
                      {one.version ? `from ${showDay(one.version)} · ` : ""}sent <time title={showInstant(one.sent_at)}>{ago(one.sent_at)}</time>
                      {one.state === "sent" && one.holds_pay ? " · pay is held until you accept it" : ""}
                    </span>
                  </span>
                  <StateBadge state={shownState(one.state)} />
                  <Icon name="right" size={16} className="text-ink-3" />
                </Link>
              </li>
            ))}
          </ul>
        )}
      </Reading>
    </Screen>
  );
}
