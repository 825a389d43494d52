// The draft was saved elsewhere since this text was begun: both are shown, one is chosen, none is lost silently.

import { useMemo } from "react";
import { TextDiff } from "@/editor/TextDiff";
import { payloadText } from "@/editor/draft";
import { diffLines } from "@/editor/lines";
import type { Draft } from "@/editor/useDraft";
import { Button } from "@/parts/Button";
import { Dialog } from "@/parts/Dialog";

export default function ConflictDialog({ draft, name }: { draft: Draft; name: string }) {
  const { conflict, text } = draft;
  const theirs = conflict ? payloadText(conflict.theirs) : null;
  const source = useMemo(() => diffLines(theirs?.source ?? "", text?.source ?? ""), [theirs?.source, text?.source]);
  const cases = useMemo(() => diffLines(theirs?.cases ?? "", text?.cases ?? ""), [theirs?.cases, text?.cases]);
  if (!conflict) return null;
  const open = conflict.theirs.state === "draft" || conflict.theirs.state === "submitted";
  return (
    <Dialog
      open
      onOpenChange={(shown) => {
        if (!shown) draft.closeConflict();
      }}
      width="lg"
      title="The draft was saved elsewhere meanwhile"
      description={
        open
          ? "At the left what the server has, at the right what you typed. Choose which text goes on; closing changes nothing."
          : `The change was ${conflict.theirs.state} meanwhile. At the left what it was, at the right what you typed; yours stays here.`
      }
      footer={
        <>
          <Button look="quiet" onClick={draft.closeConflict}>
            Go on typing
          </Button>
          <Button onClick={() => draft.takeTheirs(conflict)}>Take the server's</Button>
          {open ? (
            <Button look="primary" busy={draft.saving} onClick={() => draft.save(conflict)}>
              Save mine over it
            </Button>
          ) : null}
        </>
      }
    >
      <div className="flex flex-col gap-4">
        <TextDiff ops={source} name={`text of ${name}`} sides={["on the server", "typed here"]} />
        {cases.some((op) => op.tag !== " ") ? (
          <div>
            <h3 className="mb-1 font-medium">Cases</h3>
            <TextDiff ops={cases} name={`cases of ${name}`} sides={["on the server", "typed here"]} height="14rem" />
          </div>
        ) : null}
      </div>
    </Dialog>
  );
}

/** What is in force has changed under the text: what saving mine on top of it would make of it. */
export function OutdatedDialog({ draft, onClose }: { draft: Draft; onClose: () => void }) {
  const { active, text } = draft;
  const source = useMemo(() => diffLines(active?.source ?? "", text?.source ?? ""), [active, text]);
  const cases = useMemo(() => diffLines(active?.cases ?? "", text?.cases ?? ""), [active, text]);
  return (
    <Dialog
      open
      onOpenChange={(shown) => {
        if (!shown) onClose();
      }}
      width="lg"
      title="The active text has changed"
      description="At the left what is active now, at the right your text. What goes at the left would be undone by yours: take over what should stay, then save."
      footer={
        <>
          <Button look="quiet" onClick={onClose}>
            Go on typing
          </Button>
          <Button
            look="primary"
            onClick={() => {
              draft.saveOnTop();
              onClose();
            }}
          >
            Save mine on top of it
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-4">
        <TextDiff ops={source} name="the text" sides={["active", "yours"]} />
        {cases.some((op) => op.tag !== " ") ? (
          <div>
            <h3 className="mb-1 font-medium">Cases</h3>
            <TextDiff ops={cases} name="the cases" sides={["active", "yours"]} height="14rem" />
          </div>
        ) : null}
      </div>
    </Dialog>
  );
}
