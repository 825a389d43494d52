// Which lines of a plan's file define one component.

/** The lines of a plan's text that define one component. */
export function componentLines(text: string, componentId: string): { from: number; until: number } | null {
  const lines = text.split("\n");
  const starts = lines.flatMap((line, at) => (line.trim() === "[[components]]" ? [at] : []));
  for (const [index, from] of starts.entries()) {
    let until = starts[index + 1] ?? lines.length;
    if (!lines.slice(from, until).some((line) => line.replace(/\s/g, "") === `id="${componentId}"`)) continue;
    while (until > from && lines[until - 1]?.trim() === "") until -= 1;
    return { from, until };
  }
  return null;
}
