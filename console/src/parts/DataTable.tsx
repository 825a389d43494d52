// A table of records: sorted by a click on a heading, filtered by typing, walked by arrow keys, drawn only where it is seen.
// With `onSort` and `onMore` the server sorts and sends the next rows.

import {
  createColumnHelper,
  createFilteredRowModel,
  createSortedRowModel,
  globalFilteringFeature,
  rowSortingFeature,
  type SortingState,
  tableFeatures,
  useTable,
  columnFilteringFeature,
} from "@tanstack/react-table";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import { compare, isDecimal, number } from "@/money";
import { count } from "@/words";
import { DownloadLink } from "./Button";
import { Icon } from "./Icon";

export interface Column<R> {
  id: string;
  header: string;
  /** What is sorted and filtered by. Decimal strings are compared as numbers. */
  value: (row: R) => string | number | boolean | null | undefined;
  /** What is shown, if not the value. */
  cell?: (row: R) => ReactNode;
  /** Numbers stand at the right. */
  align?: "left" | "right";
  /** CSS width, such as `12rem` or `20%`. */
  width?: string;
  sortable?: boolean;
  /** Left out where the screen is narrow. */
  wideOnly?: boolean;
}

export interface Sort {
  id: string;
  descending: boolean;
}

export interface DataTableProps<R> {
  /** The table's accessible name. */
  label: string;
  columns: Column<R>[];
  rows: R[];
  rowKey: (row: R) => string;
  /** Called by a click or Enter on a row. */
  onRow?: (row: R) => void;
  /** The row that is open beside the table. */
  selected?: string | null;
  /** A filter over all columns above the table. */
  filterable?: boolean;
  /** The address of the same rows as a file. */
  exportHref?: string;
  /** What stands beside the filter. */
  toolbar?: ReactNode;
  sort?: Sort | null;
  /** The server sorts: the rows are shown in the order they come. */
  onSort?: (sort: Sort | null) => void;
  /** There are more rows; asked for when the end comes into sight. */
  onMore?: () => void;
  hasMore?: boolean;
  total?: number | null;
  empty?: ReactNode;
  /** The height in which rows scroll; without it the table is as high as its rows, up to 70 % of the window. */
  height?: string;
  footer?: ReactNode;
}

const ROW_PX = 40;
const DRAWN_ALWAYS = 60;

const features = tableFeatures({
  rowSortingFeature,
  columnFilteringFeature,
  globalFilteringFeature,
  sortedRowModel: createSortedRowModel(),
  filteredRowModel: createFilteredRowModel(),
});

type Value = string | number | boolean | null | undefined;

/** Numbers by size, texts by the reader's alphabet, nothing at the end. */
export function order(a: Value, b: Value): number {
  const empty = (value: Value) => value === null || value === undefined || value === "";
  if (empty(a) || empty(b)) return Number(empty(a)) - Number(empty(b));
  const [x, y] = [String(a), String(b)];
  if (isDecimal(x) && isDecimal(y)) return compare(x, y);
  return x.localeCompare(y, undefined, { numeric: true, sensitivity: "base" });
}

export function DataTable<R>(props: DataTableProps<R>) {
  const { label, columns, rows, rowKey, onRow, selected, filterable, exportHref, toolbar, onSort, onMore, hasMore, total, empty, height, footer } = props;
  const [ownSorting, setOwnSorting] = useState<SortingState>([]);
  const [filter, setFilter] = useState("");
  const [active, setActive] = useState(0);
  const scroller = useRef<HTMLDivElement>(null);
  const sorting: SortingState = onSort ? (props.sort ? [{ id: props.sort.id, desc: props.sort.descending }] : []) : ownSorting;

  const defs = useMemo(() => {
    const helper = createColumnHelper<typeof features, R & object>();
    return helper.columns(
      columns.map((column) =>
        helper.accessor((row) => column.value(row), {
          id: column.id,
          header: column.header,
          enableSorting: column.sortable ?? true,
          sortFn: (a: { getValue: (id: string) => unknown }, b: { getValue: (id: string) => unknown }, id: string) =>
            order(a.getValue(id) as Value, b.getValue(id) as Value),
        }),
      ) as never,
    );
  }, [columns]);

  const table = useTable({
    features,
    columns: defs as never,
    data: rows as (R & object)[],
    state: { sorting, globalFilter: filter },
    onSortingChange: (update: SortingState | ((before: SortingState) => SortingState)) => {
      const next = typeof update === "function" ? update(sorting) : update;
      if (onSort) onSort(next[0] ? { id: next[0].id, descending: next[0].desc } : null);
      else setOwnSorting(next);
    },
    onGlobalFilterChange: (update: unknown) => setFilter(typeof update === "function" ? update(filter) : String(update ?? "")),
    globalFilterFn: (row: { getValue: (id: string) => unknown }, id: string, asked: string) =>
      String(row.getValue(id) ?? "").toLowerCase().includes(asked.toLowerCase()),
    getColumnCanGlobalFilter: () => true,
    manualSorting: onSort !== undefined,
    enableMultiSort: false,
  } as never);

  const shown = table.getRowModel().rows as unknown as { id: string; original: R }[];
  const virtual = shown.length > DRAWN_ALWAYS;
  const virtualizer = useVirtualizer({
    count: shown.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    overscan: 12,
    enabled: virtual,
  });
  const drawn = virtual ? virtualizer.getVirtualItems().map((item) => item.index) : shown.map((_, at) => at);
  const before = virtual ? (virtualizer.getVirtualItems()[0]?.start ?? 0) : 0;
  const after = virtual ? virtualizer.getTotalSize() - (virtualizer.getVirtualItems().at(-1)?.end ?? 0) : 0;
  const last = drawn.at(-1) ?? -1;
  const wantsMore = Boolean(hasMore && onMore && last >= shown.length - 8);
  useEffect(() => {
    if (wantsMore) onMore?.();
  }, [wantsMore, onMore, shown.length]);

  const byId = new Map(columns.map((column) => [column.id, column]));
  const go = (at: number) => {
    const next = Math.max(0, Math.min(at, shown.length - 1));
    setActive(next);
    if (virtual) virtualizer.scrollToIndex(next);
    requestAnimationFrame(() => scroller.current?.querySelector<HTMLElement>(`[data-row="${next}"]`)?.focus());
  };
  const onKeyDown = (event: React.KeyboardEvent, at: number, row: R) => {
    if (event.target !== event.currentTarget) return;
    const moves: Record<string, number> = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + 12, PageUp: at - 12, Home: 0, End: shown.length - 1 };
    const to = moves[event.key];
    if (to !== undefined) go(to);
    else if ((event.key === "Enter" || event.key === " ") && onRow) onRow(row);
    else return;
    event.preventDefault();
  };

  const head = table.getHeaderGroups()[0]?.headers ?? [];
  return (
    <div className="flex min-w-0 flex-col">
      {filterable || toolbar || exportHref ? (
        <div className="flex flex-wrap items-center gap-2 px-3 py-2.5">
          {filterable ? (
            <div className="relative min-w-40 flex-1 sm:max-w-72">
              <Icon name="search" size={15} className="pointer-events-none absolute top-1/2 left-2.5 -translate-y-1/2 text-ink-3" />
              <input
                type="search"
                aria-label={`Filter ${label}`}
                placeholder="Filter"
                className="input !pl-8"
                value={filter}
                onChange={(event) => setFilter(event.target.value)}
              />
            </div>
          ) : null}
          {toolbar}
          <span className="ml-auto text-[0.83rem] text-ink-3" role="status">
            {filter && shown.length !== rows.length ? `${shown.length} of ` : ""}
            {total === null || total === undefined ? `${number(rows.length)}${hasMore ? "+" : ""} ${rows.length === 1 ? "row" : "rows"}` : count(total, "row")}
          </span>
          {exportHref ? <DownloadLink href={exportHref}>CSV</DownloadLink> : null}
        </div>
      ) : null}
      <div
        ref={scroller}
        className="relative overflow-auto"
        style={{ maxHeight: height ?? "70vh", ...(height ? { height } : {}) }}
        role="region"
        aria-label={label}
        tabIndex={0}
      >
        <table
          className="w-full border-separate border-spacing-0 text-[0.93rem]"
          aria-rowcount={virtual || hasMore ? (total ?? (hasMore ? -1 : shown.length)) : undefined}
        >
          <caption className="sr-only">{label}</caption>
          <thead className="sticky top-0 bg-surface" style={{ zIndex: "var(--z-sticky)" }}>
            <tr>
              {head.map((header) => {
                const column = byId.get(header.column.id);
                const way = sorting[0]?.id === header.column.id ? (sorting[0].desc ? "descending" : "ascending") : undefined;
                const right = column?.align === "right";
                return (
                  <th
                    key={header.id}
                    scope="col"
                    aria-sort={way}
                    style={column?.width ? { width: column.width } : undefined}
                    className={`border-b border-line px-3 py-2 text-[0.83rem] font-medium whitespace-nowrap text-ink-3 ${right ? "text-right" : "text-left"} ${column?.wideOnly ? "hidden sm:table-cell" : ""}`}
                  >
                    {header.column.getCanSort() ? (
                      <button
                        type="button"
                        className={`inline-flex items-center gap-1 hover:text-ink ${right ? "flex-row-reverse" : ""}`}
                        onClick={() => header.column.toggleSorting()}
                      >
                        {column?.header}
                        <Icon name={way === "descending" ? "down" : "up"} size={12} className={way ? "" : "opacity-0"} />
                      </button>
                    ) : (
                      column?.header
                    )}
                  </th>
                );
              })}
            </tr>
          </thead>
          <tbody>
            {before > 0 ? (
              <tr aria-hidden="true">
                <td style={{ height: before, padding: 0 }} colSpan={columns.length} />
              </tr>
            ) : null}
            {drawn.map((at) => {
              const row = shown[at];
              if (!row) return null;
              const key = rowKey(row.original);
              return (
                <tr
                  key={key}
                  ref={virtual ? virtualizer.measureElement : undefined}
                  data-index={at}
                  data-row={at}
                  aria-rowindex={virtual ? at + 2 : undefined}
                  aria-current={selected === key ? "true" : undefined}
                  tabIndex={onRow ? (at === Math.min(active, shown.length - 1) ? 0 : -1) : undefined}
                  onFocus={() => setActive(at)}
                  onKeyDown={(event) => onKeyDown(event, at, row.original)}
                  onClick={
                    onRow
                      ? (event) => {
                          // What a menu or dialog of the row says is heard here too, though it stands elsewhere on the page.
                          const target = event.target as HTMLElement;
                          if (event.currentTarget.contains(target) && !target.closest("a,button,input,select,label")) onRow(row.original);
                        }
                      : undefined
                  }
                  className={`group ${onRow ? "cursor-pointer hover:bg-sunken" : ""} ${selected === key ? "bg-accent-soft" : ""}`}
                  style={{ height: ROW_PX }}
                >
                  {columns.map((column) => {
                    const value = column.value(row.original);
                    return (
                      <td
                        key={column.id}
                        className={`border-b border-line/70 px-3 py-1.5 ${column.align === "right" ? "num text-right" : ""} ${column.wideOnly ? "hidden sm:table-cell" : ""}`}
                      >
                        {column.cell ? column.cell(row.original) : value === null || value === undefined || value === "" ? <span className="text-ink-3">–</span> : String(value)}
                      </td>
                    );
                  })}
                </tr>
              );
            })}
            {after > 0 ? (
              <tr aria-hidden="true">
                <td style={{ height: after, padding: 0 }} colSpan={columns.length} />
              </tr>
            ) : null}
          </tbody>
          {footer ? <tfoot>{footer}</tfoot> : null}
        </table>
        {shown.length === 0 ? (empty ?? <p className="px-4 py-8 text-center text-ink-2">{filter ? "No row matches the filter." : "There are no rows."}</p>) : null}
        {hasMore ? <p className="px-4 py-3 text-center text-ink-3">Loading more…</p> : null}
      </div>
    </div>
  );
}
