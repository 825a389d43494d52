// A few alternatives in a row, one of them chosen: filters of lists.

export interface Choice {
  value: string | undefined;
  label: string;
}

export function Choices({ label, choices, value, onChange }: { label: string; choices: readonly Choice[]; value: string | undefined; onChange: (value: string | undefined) => void }) {
  return (
    <div role="group" aria-label={label} className="inline-flex max-w-full flex-wrap rounded-control border border-line-strong bg-surface p-0.5">
      {choices.map((each) => (
        <button
          key={each.label}
          type="button"
          aria-pressed={value === each.value}
          onClick={() => onChange(each.value)}
          className="min-h-8 rounded-md px-3 text-[0.9rem] text-ink-2 hover:text-ink aria-pressed:bg-accent-soft aria-pressed:font-medium aria-pressed:text-accent"
        >
          {each.label}
        </button>
      ))}
    </div>
  );
}
