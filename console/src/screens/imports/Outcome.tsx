// What an import did, or would do: its control totals, or that it waits for a second person.

import { Link } from "@tanstack/react-router";
import { number } from "@/money";
import { Icon } from "@/parts/Icon";
import { Pairs } from "@/parts/Pairs";
import { count, plain } from "@/words";
import type { ImportReceipt } from "./shapes";

export function Totals({ of: receipt }: { of: ImportReceipt }) {
  const ties = receipt.inserted + receipt.changed + receipt.unchanged === receipt.row_count;
  const sums = Object.entries(receipt.totals);
  return (
    <div className="flex flex-wrap gap-x-12 gap-y-4">
      <table>
        <caption className="sr-only">Control totals</caption>
        <tbody>
          {(
            [
              ["inserted", receipt.inserted],
              ["changed", receipt.changed],
              ["unchanged", receipt.unchanged],
            ] as const
          ).map(([name, value]) => (
            <tr key={name}>
              <th scope="row" className="py-0.5 pr-10 text-left font-normal text-ink-2">
                {name}
              </th>
              <td className="num py-0.5 text-right">{number(value)}</td>
            </tr>
          ))}
          <tr className="font-semibold">
            <th scope="row" className="border-t border-line py-1 pr-10 text-left">
              rows in the file
            </th>
            <td className="num border-t border-line py-1 text-right">
              {number(receipt.row_count)} <Icon name={ties ? "check" : "warn"} size={15} className={`inline align-[-0.15em] ${ties ? "text-accent" : "text-bad"}`} />
              <span className="sr-only">{ties ? ", they tie" : ", they do not tie"}</span>
            </td>
          </tr>
        </tbody>
      </table>
      {sums.length > 0 ? (
        <div>
          <p className="mb-1 text-[0.87rem] text-ink-3">Sums over the file</p>
          <Pairs pairs={sums.map(([name, sum]) => [plain(name), <span className="num">{number(sum)}</span>] as const)} />
        </div>
      ) : null}
    </div>
  );
}

export function Waiting({ changeId }: { changeId: string | null }) {
  return (
    <p className="flex gap-2.5 rounded-control bg-warn-soft px-4 py-3">
      <Icon name="warn" className="mt-0.5 text-warn" />
      <span>
        It waits for a second person, because it decides what people are paid.{" "}
        {changeId ? (
          <Link className="link" to="/changes/$id" params={{ id: changeId } as never}>
            See the change
          </Link>
        ) : null}
      </span>
    </p>
  );
}

/** One line for the list. */
export function inShort(receipt: ImportReceipt | null): string {
  return receipt ? `${count(receipt.row_count, "row")}: ${number(receipt.inserted)} new, ${number(receipt.changed)} changed` : "";
}
