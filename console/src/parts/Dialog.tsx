// A question in front of the screen: takes the focus, gives it back, closes by Escape.

import { Dialog as Radix } from "radix-ui";
import { type ReactNode, useRef } from "react";
import { Button, type Look } from "./Button";
import { Icon } from "./Icon";

const OVERLAY = "fixed inset-0 bg-black/45 fade-in";

/** The focus goes back to what had it: these dialogs are opened from anywhere, not by a trigger of their own. */
function useGivenBack() {
  const opener = useRef<Element | null>(null);
  return {
    onOpenAutoFocus: () => {
      opener.current = document.activeElement;
    },
    onCloseAutoFocus: (event: Event) => {
      event.preventDefault();
      if (opener.current instanceof HTMLElement && opener.current.isConnected) opener.current.focus();
    },
  };
}

export interface DialogProps {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  title: ReactNode;
  description?: ReactNode;
  children?: ReactNode;
  /** The buttons, right-aligned under the content. */
  footer?: ReactNode;
  width?: "sm" | "md" | "lg";
}

const WIDTHS = { sm: "max-w-md", md: "max-w-2xl", lg: "max-w-5xl" };

export function Dialog({ open, onOpenChange, title, description, children, footer, width = "sm" }: DialogProps) {
  const givenBack = useGivenBack();
  return (
    <Radix.Root open={open} onOpenChange={onOpenChange}>
      <Radix.Portal>
        <Radix.Overlay className={OVERLAY} style={{ zIndex: "var(--z-dialog)" }} />
        <Radix.Content
          className={`fixed inset-x-3 top-[8vh] mx-auto flex max-h-[84vh] flex-col rounded-card border border-line bg-surface shadow-high fade-in ${WIDTHS[width]}`}
          style={{ zIndex: "var(--z-dialog)" }}
          {...givenBack}
          {...(description ? {} : { "aria-describedby": undefined })}
        >
          <header className="flex items-start gap-3 px-5 pt-4 pb-2">
            <div className="min-w-0 flex-1">
              <Radix.Title className="text-lg font-semibold">{title}</Radix.Title>
              {description ? <Radix.Description className="mt-0.5 text-ink-2">{description}</Radix.Description> : null}
            </div>
            <Closer />
          </header>
          <div className="min-h-0 flex-1 overflow-y-auto px-5 pt-1 pb-4">{children}</div>
          {footer ? <footer className="flex flex-wrap justify-end gap-2 border-t border-line px-5 py-3">{footer}</footer> : null}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

function Closer() {
  return (
    <Radix.Close
      aria-label="Close"
      className="-mr-2 inline-flex size-9 shrink-0 items-center justify-center rounded-control text-ink-2 hover:bg-sunken hover:text-ink"
    >
      <Icon name="close" />
    </Radix.Close>
  );
}

/** Details beside the screen; on a phone it covers it. */
export function Drawer({ open, onOpenChange, title, description, children, footer }: Omit<DialogProps, "width">) {
  const givenBack = useGivenBack();
  return (
    <Radix.Root open={open} onOpenChange={onOpenChange}>
      <Radix.Portal>
        <Radix.Overlay className={OVERLAY} style={{ zIndex: "var(--z-drawer)" }} />
        <Radix.Content
          className="fixed inset-y-0 right-0 flex w-full flex-col border-l border-line bg-surface shadow-high slide-in sm:w-[min(42rem,92vw)]"
          style={{ zIndex: "var(--z-drawer)" }}
          {...givenBack}
          {...(description ? {} : { "aria-describedby": undefined })}
        >
          <header className="flex items-start gap-3 border-b border-line px-5 py-3.5">
            <div className="min-w-0 flex-1">
              <Radix.Title className="text-lg font-semibold">{title}</Radix.Title>
              {description ? <Radix.Description className="text-ink-2">{description}</Radix.Description> : null}
            </div>
            <Closer />
          </header>
          <div className="min-h-0 flex-1 overflow-y-auto px-5 py-4">{children}</div>
          {footer ? <footer className="flex flex-wrap justify-end gap-2 border-t border-line px-5 py-3">{footer}</footer> : null}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

/** Are you sure? `act` is the verb of the button, the same as on the button that opened it. */
export function ConfirmDialog({
  act,
  look = "primary",
  busy,
  disabled,
  onConfirm,
  ...rest
}: Omit<DialogProps, "footer"> & { act: string; look?: Look; busy?: boolean; disabled?: boolean; onConfirm: () => void }) {
  return (
    <Dialog
      {...rest}
      footer={
        <>
          <Button look="quiet" onClick={() => rest.onOpenChange(false)}>
            Cancel
          </Button>
          <Button look={look} busy={busy} disabled={disabled} onClick={onConfirm}>
            {act}
          </Button>
        </>
      }
    />
  );
}
