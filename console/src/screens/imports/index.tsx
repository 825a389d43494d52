// What was brought into the record by files: the history with its control totals, and a way to bring more.

import { usePages } from "@/api/read";
import { useMay } from "@/api/session";
import { StateBadge } from "@/parts/Badge";
import { type Column, DataTable } from "@/parts/DataTable";
import { Screen } from "@/parts/Screen";
import { Denied } from "@/parts/Shell";
import { Empty, Failed, Loading } from "@/parts/states";
import { useUrlState } from "@/url";
import { ago, count, plain, showInstant } from "@/words";
import { ImportView } from "./ImportView";
import { NewImport } from "./NewImport";
import { inShort } from "./Outcome";
import type { ImportHead } from "./shapes";

export default function Imports() {
  return useMay()("import") ? <ImportsScreen /> : <Denied />;
}

function ImportsScreen() {
  const may = useMay();
  const [open, setOpen] = useUrlState("import", true);
  const imports = usePages<ImportHead>("/imports", { parts: ["work", "company"], limit: 50 });
  const columns: Column<ImportHead>[] = [
    {
      id: "recorded",
      header: "Sent",
      value: (one) => one.sent_at,
      cell: (one) => (
        <time dateTime={one.sent_at} title={showInstant(one.sent_at)} className="whitespace-nowrap">
          {ago(one.sent_at)}
        </time>
      ),
    },
    { id: "entity", header: "Entity", value: (one) => plain(one.entity) },
    { id: "source", header: "Source", value: (one) => one.source, cell: (one) => <span className="block max-w-64 truncate" title={one.source}>{one.source}</span> },
    { id: "by", header: "By", value: (one) => one.sent_by_name || one.sent_by },
    { id: "state", header: "State", value: (one) => one.state, cell: (one) => (one.mended_by ? <StateBadge state="mended" /> : <StateBadge state={one.state} />) },
    {
      id: "totals",
      header: "Control totals",
      value: (one) => inShort(one.receipt),
      cell: (one) =>
        one.state === "refused" ? <span className="whitespace-nowrap text-bad">{count(one.error_count, "error")}</span> : <span className="num">{inShort(one.receipt)}</span>,
    },
  ];
  const show = (one: { import_id: string | null }) => {
    if (one.import_id) setOpen(one.import_id);
  };
  return (
    <Screen title="Imports" lead="Files are tried first. What is wrong is mended here, and nothing goes in by halves." wide>
      {open ? <ImportView key={open} id={open} onSent={show} onClose={() => setOpen(undefined)} /> : may("import") ? <NewImport onDone={show} /> : null}
      <section aria-label="History" className="card min-w-0 overflow-hidden">
        {imports.isPending ? (
          <div className="p-5">
            <Loading />
          </div>
        ) : imports.error ? (
          <Failed error={imports.error} retry={imports.retry} />
        ) : imports.items.length === 0 ? (
          <Empty icon="import" title="Nothing was imported yet" next="Drop a CSV file above: transactions, accounts, people or any other entity." />
        ) : (
          <DataTable
            label="Imports"
            columns={columns}
            rows={imports.items}
            rowKey={(one) => one.import_id}
            selected={open ?? null}
            onRow={show}
            filterable
            hasMore={imports.hasMore}
            onMore={imports.more}
            total={imports.total}
          />
        )}
      </section>
    </Screen>
  );
}
