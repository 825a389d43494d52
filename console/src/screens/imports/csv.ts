// CSV as RFC 4180 has it: fields in quotes may hold commas, line breaks and doubled quotes.

export interface CsvRow {
  /** The line of the file that the row begins on; the first is 1. */
  line: number;
  fields: string[];
}

export function parseCsv(text: string): CsvRow[] {
  const rows: CsvRow[] = [];
  let fields: string[] = [];
  let field = "";
  let quoted = false;
  let line = 1;
  let begun = 1;
  const end = () => {
    fields.push(field);
    field = "";
    // A line of nothing is no row.
    if (fields.length > 1 || fields[0] !== "") rows.push({ line: begun, fields });
    fields = [];
  };
  let at = text.charCodeAt(0) === 0xfeff ? 1 : 0;
  for (; at < text.length; at++) {
    const letter = text[at] as string;
    if (letter === "\n") line++;
    if (quoted) {
      if (letter !== '"') field += letter;
      else if (text[at + 1] === '"') {
        field += '"';
        at++;
      } else quoted = false;
    } else if (letter === '"' && field === "") quoted = true;
    else if (letter === ",") {
      fields.push(field);
      field = "";
    } else if (letter === "\n" || letter === "\r") {
      if (letter === "\r" && text[at + 1] === "\n") {
        at++;
        line++;
      }
      end();
      begun = line;
    } else field += letter;
  }
  if (field !== "" || fields.length > 0) end();
  return rows;
}

export function printCsv(rows: readonly (readonly string[])[]): string {
  return rows.map((row) => `${row.map(quote).join(",")}\n`).join("");
}

function quote(field: string): string {
  return /[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}
