// Choosing one person among those whom one may see: typed by name or id, suggested by the browser, kept as the id.

import { useId } from "react";
import { usePeriod } from "@/url";
import { Field } from "./Field";
import { usePeople } from "./People";

export function PayeeField({
  label,
  hint,
  value,
  onChange,
  required = false,
  autoFocus = false,
}: {
  label: string;
  hint?: string;
  value: string;
  onChange: (payeeId: string) => void;
  required?: boolean;
  autoFocus?: boolean;
}) {
  const list = useId();
  const period = usePeriod();
  const { people } = usePeople(value, period);
  const found = people.find((one) => one.payee_id === value.trim());
  return (
    <Field label={label} hint={found ? `${found.name}${found.title ? `, ${found.title}` : ""}` : hint}>
      {(ties) => (
        <>
          <input
            type="text"
            className="input"
            list={list}
            autoComplete="off"
            spellCheck={false}
            required={required}
            autoFocus={autoFocus}
            value={value}
            onChange={(event) => {
              // Whoever typed a whole name means that person.
              const named = people.filter((one) => one.name === event.target.value);
              onChange(named.length === 1 && named[0] ? named[0].payee_id : event.target.value);
            }}
            {...ties}
          />
          <datalist id={list}>
            {people.map((one) => (
              <option key={one.payee_id} value={one.payee_id}>
                {one.name}
              </option>
            ))}
          </datalist>
        </>
      )}
    </Field>
  );
}
