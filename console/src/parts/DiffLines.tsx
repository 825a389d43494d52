// Lines of two texts with what went and what came. Signs and colours say it together.

const LOOKS = { " ": "", "-": "bg-loss-soft", "+": "bg-gain-soft" } as const;
const SAID = { " ": "", "-": "removed: ", "+": "added: " } as const;

export function DiffLines({ lines, label }: { lines: readonly { tag: " " | "-" | "+"; text: string }[]; label: string }) {
  return (
    <div role="region" aria-label={label} tabIndex={0} className="max-h-[60vh] overflow-auto rounded-md border border-line bg-surface py-1.5 font-mono text-[0.83rem] leading-relaxed">
      {lines.map((line, at) => (
        <div key={at} className={`min-w-max px-3 whitespace-pre ${LOOKS[line.tag]}`}>
          <span aria-hidden="true" className="inline-block w-4 text-ink-3 select-none">
            {line.tag}
          </span>
          <span className="sr-only">{SAID[line.tag]}</span>
          {line.text}
        </div>
      ))}
    </div>
  );
}
