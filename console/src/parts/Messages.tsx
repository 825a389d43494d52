// What people wrote to one another, one's own at the right.

import { useSession } from "@/api/session";
import type { Instant } from "@/api/types";
import { ago, showInstant } from "@/words";

export interface Message {
  author: string;
  author_name: string;
  body: string;
  written_at: Instant;
}

export function Messages({ messages }: { messages: Message[] }) {
  const session = useSession();
  return (
    <ol className="flex flex-col gap-3">
      {messages.map((message, index) => {
        const own = message.author === session.user_id;
        return (
          <li key={index} className={`max-w-[92%] rounded-card px-3.5 py-2.5 ${own ? "self-end bg-accent-soft" : "self-start bg-sunken"}`}>
            <p className="text-[0.83rem] text-ink-2">
              <strong className="font-semibold">{own ? "You" : message.author_name}</strong> ·{" "}
              <time dateTime={message.written_at} title={showInstant(message.written_at)}>
                {ago(message.written_at)}
              </time>
            </p>
            <p className="[overflow-wrap:anywhere] whitespace-pre-wrap">{message.body}</p>
          </li>
        );
      })}
    </ol>
  );
}
