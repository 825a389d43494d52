// One plan document: the text as it was sent, and the answer to it.

import { Link, useParams } from "@tanstack/react-router";
import { download, path } from "@/api/client";
import { useRead } from "@/api/read";
import { useSession } from "@/api/session";
import type { PlanDocument as PlanDocumentData } from "@/api/work";
import { StateBadge } from "@/parts/Badge";
import { DownloadLink } from "@/parts/Button";
import { Icon } from "@/parts/Icon";
import { Screen } from "@/parts/Screen";
import { Loading, Reading } from "@/parts/states";
import { shownState } from "@/screens/plan-documents/words";
import { ago, showDay, showInstant } from "@/words";
import { Answer } from "./Answer";
import { Paper } from "./Paper";

export default function PlanDocument() {
  const { id } = useParams({ strict: false }) as { id: string };
  const session = useSession();
  const at = path`/plan-documents/${id}`;
  const document = useRead<PlanDocumentData>(at, { parts: ["work", "company"] });
  const data = document.data;
  const own = data?.payee_id === session.payee_id;
  return (
    <Screen
      title={data ? (own ? "My plan" : `Plan of ${data.payee_name}`) : "Plan"}
      lead={
        data ? (
          <span className="flex flex-wrap items-center gap-x-3 gap-y-1">
            <StateBadge state={shownState(data.state)} />
            {data.plan_id}
            {data.version ? `, version of ${showDay(data.version)}` : ""}, sent <time title={showInstant(data.sent_at)}>{ago(data.sent_at)}</time>
          </span>
        ) : undefined
      }
      actions={
        data ? (
          <DownloadLink size="md" href={download(`${at}/document.pdf`)}>
            PDF
          </DownloadLink>
        ) : undefined
      }
    >
      <Link to={own ? "/my-plan" : "/plan-documents"} className="link -mt-1 inline-flex items-center gap-1 self-start">
        <Icon name="left" size={14} />
        {own ? "My plans" : "All plan documents"}
      </Link>
      <Reading of={document} loading={<Loading lines={10} />}>
        {(shown) => (
          <>
            <Paper document={shown} />
            <Answer document={shown} />
          </>
        )}
      </Reading>
    </Screen>
  );
}
