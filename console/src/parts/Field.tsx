// One labelled control of a form, with its hint and what is wrong with it, tied together for assistive technology.

import { type ComponentProps, type ReactNode, useId } from "react";

interface Told {
  label: ReactNode;
  hint?: ReactNode;
  error?: string | null;
  /** The label is there for assistive technology only. */
  hideLabel?: boolean;
}

interface Ties {
  id: string;
  "aria-describedby": string | undefined;
  "aria-invalid": true | undefined;
}

/** The frame around any control; `children` gets the attributes that tie it to its label. */
export function Field({
  label,
  hint,
  error,
  hideLabel,
  className = "",
  children,
}: Told & { className?: string; children: (ties: Ties) => ReactNode }) {
  const id = useId();
  const described = [hint ? `${id}-hint` : "", error ? `${id}-error` : ""].filter(Boolean).join(" ");
  return (
    <div className={`flex min-w-0 flex-col gap-1 ${className}`}>
      <label htmlFor={id} className={hideLabel ? "sr-only" : "text-[0.87rem] font-medium text-ink-2"}>
        {label}
      </label>
      {children({ id, "aria-describedby": described || undefined, "aria-invalid": error ? true : undefined })}
      {hint ? (
        <p id={`${id}-hint`} className="text-[0.83rem] text-ink-3">
          {hint}
        </p>
      ) : null}
      {error ? (
        <p id={`${id}-error`} className="text-[0.87rem] text-bad" role="alert">
          {error}
        </p>
      ) : null}
    </div>
  );
}

function split<P extends Told & { className?: string }>(props: P) {
  const { label, hint, error, hideLabel, className, ...rest } = props;
  return { told: { label, hint, error, hideLabel, className }, rest };
}

export function TextField(props: Told & ComponentProps<"input">) {
  const { told, rest } = split(props);
  return <Field {...told}>{(ties) => <input type="text" className="input" {...ties} {...rest} />}</Field>;
}

export function TextArea(props: Told & ComponentProps<"textarea">) {
  const { told, rest } = split(props);
  return <Field {...told}>{(ties) => <textarea rows={4} className="input" {...ties} {...rest} />}</Field>;
}

export function SelectField(props: Told & ComponentProps<"select">) {
  const { told, rest } = split(props);
  return <Field {...told}>{(ties) => <select className="input" {...ties} {...rest} />}</Field>;
}

export function Checkbox({ label, className = "", ...rest }: { label: ReactNode } & ComponentProps<"input">) {
  return (
    <label className={`inline-flex items-center gap-2 ${className}`}>
      <input type="checkbox" className="size-4.5 shrink-0 accent-(--accent)" {...rest} />
      <span className="min-w-0">{label}</span>
    </label>
  );
}
