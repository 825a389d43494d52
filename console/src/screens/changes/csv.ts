// Rows of a CSV text for looking at them: quotes, doubled quotes and line ends inside of quotes. The server reads it for real.

export interface Table {
  head: string[];
  rows: string[][];
  /** All rows, also those that are not read for looking. */
  count: number;
}

export function readCsv(text: string, most: number): Table {
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = "";
  let quoted = false;
  let count = 0;
  const endRow = () => {
    row.push(cell);
    cell = "";
    if (row.length > 1 || row[0] !== "") {
      count += 1;
      if (rows.length <= most) rows.push(row);
    }
    row = [];
  };
  for (let at = 0; at < text.length; at++) {
    const letter = text[at] as string;
    if (quoted) {
      if (letter !== '"') cell += letter;
      else if (text[at + 1] === '"') {
        cell += '"';
        at += 1;
      } else quoted = false;
    } else if (letter === '"' && cell === "") quoted = true;
    else if (letter === ",") {
      row.push(cell);
      cell = "";
    } else if (letter === "\n") endRow();
    else if (letter !== "\r") cell += letter;
  }
  if (cell !== "" || row.length > 0) endRow();
  return { head: rows[0] ?? [], rows: rows.slice(1), count: Math.max(0, count - 1) };
}
