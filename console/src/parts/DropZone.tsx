// A place to drop one file on; the button in it opens the file picker for those who do not drag.

import { type ReactNode, useRef, useState } from "react";
import { Button } from "./Button";
import { Icon } from "./Icon";

export function DropZone({
  label,
  accept,
  hint,
  busy,
  onFile,
}: {
  /** What the button does, such as `Choose a file`. */
  label: string;
  /** As of an `input`: `.csv,text/csv`. */
  accept: string;
  hint: ReactNode;
  busy?: boolean;
  onFile: (file: File) => void;
}) {
  const input = useRef<HTMLInputElement>(null);
  const [over, setOver] = useState(false);
  return (
    <div
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        const file = event.dataTransfer.files[0];
        if (file && !busy) onFile(file);
      }}
      className={`flex flex-col items-center gap-2 rounded-card border border-dashed px-5 py-7 text-center transition-colors ${over ? "border-accent bg-accent-soft" : "border-control bg-surface"}`}
    >
      <Icon name="import" size={24} className={over ? "text-accent" : "text-ink-3"} />
      <p className="max-w-prose text-ink-2">{hint}</p>
      <Button busy={busy} onClick={() => input.current?.click()}>
        {label}
      </Button>
      <input
        ref={input}
        type="file"
        accept={accept}
        aria-label={label}
        tabIndex={-1}
        className="sr-only"
        onChange={(event) => {
          const file = event.target.files?.[0];
          event.target.value = "";
          if (file) onFile(file);
        }}
      />
    </div>
  );
}
