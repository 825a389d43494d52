// Which period a screen shows: arrows step by one, the list jumps. The choice lives in the address.

import { useSession } from "@/api/session";
import type { Period } from "@/api/types";
import { useChangeSearch, usePeriod } from "@/url";
import { showPeriod } from "@/words";
import { IconButton } from "./Button";

export function PeriodSelector({ value, onChange }: { value?: string | null; onChange?: (periodId: string) => void }) {
  const { periods } = useSession();
  const fromUrl = usePeriod();
  const change = useChangeSearch();
  const shown = value === undefined ? fromUrl : value;
  const choose = onChange ?? ((period: string) => change({ period }, true));
  const at = periods.findIndex((period) => period.period_id === shown);
  const years = new Map<string, Period[]>();
  for (const period of periods) years.set(period.year, [...(years.get(period.year) ?? []), period]);
  const step = (by: number) => {
    const next = periods[at + by];
    if (next) choose(next.period_id);
  };
  return (
    <div className="inline-flex items-center rounded-control border border-line-strong bg-surface" role="group" aria-label="Period">
      <IconButton icon="left" label="Previous period" disabled={at <= 0} onClick={() => step(-1)} />
      <select
        aria-label="Period"
        className="h-9 min-w-0 cursor-pointer appearance-none bg-transparent px-1 text-center font-medium text-ink"
        value={at < 0 ? "" : (shown ?? "")}
        onChange={(event) => choose(event.target.value)}
      >
        {at < 0 ? <option value="">{shown ?? "No period"}</option> : null}
        {[...years].map(([year, inYear]) => (
          <optgroup key={year} label={`Year ${year}`}>
            {inYear.map((period) => (
              <option key={period.period_id} value={period.period_id}>
                {showPeriod(period.period_id)}
                {period.state === "planned" ? " (planned)" : ""}
              </option>
            ))}
          </optgroup>
        ))}
      </select>
      <IconButton icon="right" label="Next period" disabled={at < 0 || at >= periods.length - 1} onClick={() => step(1)} />
    </div>
  );
}
