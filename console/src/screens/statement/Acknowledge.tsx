// The payee says that she has read her statement. What she acknowledges is its content; a content that changed is asked for again.

import { api } from "@/api/client";
import { useRead, useWrite } from "@/api/read";
import type { Acknowledgement } from "@/api/work";
import { Button } from "@/parts/Button";
import { Icon } from "@/parts/Icon";
import { toast, toastProblem } from "@/parts/Toast";
import { ago, showInstant } from "@/words";

export function Acknowledge({ at, own }: { at: string; own: boolean }) {
  const known = useRead<Acknowledgement>(`${at}/acknowledgement`, { parts: ["work", "runs", "company"] });
  const give = useWrite((content_hash: string, options) => api.post<Acknowledgement>(`${at}/acknowledgement`, { content_hash }, options), {
    refresh: [`${at}/acknowledgement`],
    onDone: () => toast("You have acknowledged your statement."),
  });
  const data = known.data;
  if (!data?.content_hash) return null;
  if (data.acknowledged_at)
    return (
      <p className="inline-flex items-center gap-1.5 text-[0.9rem] text-ink-2" title={showInstant(data.acknowledged_at)}>
        <Icon name="check" size={15} className="text-accent" />
        {own ? "you acknowledged it" : "acknowledged"} {ago(data.acknowledged_at)}
      </p>
    );
  if (!own) return <p className="text-[0.9rem] text-ink-3">{data.acknowledged_before ? "changed since it was acknowledged" : "not acknowledged yet"}</p>;
  return (
    <span className="flex flex-wrap items-center gap-2">
      {data.acknowledged_before ? <span className="text-[0.9rem] text-warn">It has changed since you acknowledged it.</span> : null}
      <Button look="primary" icon="check" busy={give.isPending} onClick={() => give.mutate(data.content_hash as string, { onError: toastProblem })}>
        Acknowledge
      </Button>
    </span>
  );
}
