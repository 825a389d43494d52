// A digest or an id that is too long to read: its beginning, the whole of it by a click into the clipboard.

import { useState } from "react";
import { shortDigest } from "@/words";
import { Button, type Look } from "./Button";
import { Icon } from "./Icon";
import { toast } from "./Toast";

/** False where the browser refuses, as on plain http from elsewhere: then people select the text themselves. */
async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

export function Digest({ of: digest, name = "digest" }: { of: string; name?: string }) {
  return (
    <button
      type="button"
      title={`${digest}: click to copy`}
      aria-label={`Copy ${name} ${shortDigest(digest)}`}
      className="group/digest inline-flex items-center gap-1 rounded font-mono text-[0.9em] whitespace-nowrap text-ink-2 hover:text-ink"
      onClick={() =>
        void copy(digest).then((done) => (done ? toast(`The ${name} is copied.`) : toast(`The browser does not let it be copied: ${digest}`, "info")))
      }
    >
      {shortDigest(digest)}
      <Icon name="copy" size={13} className="text-ink-3 opacity-0 group-hover/digest:opacity-100 group-focus-visible/digest:opacity-100" />
    </button>
  );
}

/** Copies a text that is shown beside it. */
export function CopyButton({ text, children, look }: { text: string; children: string; look?: Look }) {
  const [copied, setCopied] = useState(false);
  return (
    <Button
      look={look}
      icon={copied ? "check" : "copy"}
      onClick={() =>
        void copy(text).then((done) => {
          setCopied(done);
          if (!done) toast("The browser does not let it be copied; select the text and copy it yourself.", "info");
        })
      }
    >
      {copied ? "Copied" : children}
    </Button>
  );
}
