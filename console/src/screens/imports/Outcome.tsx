// What an import did, or would do: its control totals, or that it waits for a second person.

import { Link } from "@tanstack/react-router";
import { number } from "@/money";
import { Icon } from "@/parts/Icon";
import { count, plain } from "@/words";
import type { Import, ImportReceipt } from "./shapes";

export function Totals({ of: receipt }: { of: ImportReceipt }) {
  if (receipt.changes.length === 0) return <p className="text-ink-2">Nothing is different from what is there already.</p>;
  return (
    <table className="w-full max-w-3xl">
      <caption className="sr-only">Control totals</caption>
      <thead>
        <tr className="text-[0.83rem] text-ink-3">
          <th scope="col" className="border-b border-line py-1.5 text-left font-medium">
            Entity
          </th>
          {["Inserted", "Changed", "Unchanged", "Removed", "Rows given"].map((name) => (
            <th key={name} scope="col" className="border-b border-line py-1.5 pl-3 text-right font-medium whitespace-nowrap">
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {receipt.changes.map((own) => (
          <tr key={own.entity}>
            <th scope="row" className="py-1.5 text-left font-normal">
              {plain(own.entity)}
            </th>
            {[own.inserted, own.changed, own.unchanged, own.removed].map((value, at) => (
              <td key={at} className="num py-1.5 pl-3 text-right">
                {number(value)}
              </td>
            ))}
            <td className="num py-1.5 pl-3 text-right font-semibold">{number(own.inserted + own.changed + own.unchanged)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export function Waiting({ of: own }: { of: Pick<Import, "change_id"> }) {
  return (
    <p className="flex gap-2.5 rounded-control bg-warn-soft px-4 py-3">
      <Icon name="warn" className="mt-0.5 text-warn" />
      <span>
        It waits for a second person, because it can move money.{" "}
        {own.change_id ? (
          <Link className="link" to="/changes/$id" params={{ id: own.change_id } as never}>
            See the change
          </Link>
        ) : null}
      </span>
    </p>
  );
}

/** One line for the list. */
export function inShort(receipt: ImportReceipt | null): string {
  if (!receipt) return "";
  const own = receipt.changes.reduce((all, one) => ({ inserted: all.inserted + one.inserted, changed: all.changed + one.changed, unchanged: all.unchanged + one.unchanged }), { inserted: 0, changed: 0, unchanged: 0 });
  return `${count(own.inserted + own.changed + own.unchanged, "row")}: ${number(own.inserted)} new, ${number(own.changed)} changed`;
}
