// The parts of a Markdown file that tests look at. A comment `<!-- check: NAME -->` says how the block after it is checked.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const root: string = fileURLToPath(new URL('../..', import.meta.url));

export interface Fence {
  readonly language: string;
  readonly check: string | undefined;
  readonly code: string;
  /** Where its first line of code stands, from 1. */
  readonly line: number;
}

export interface Table {
  readonly check: string | undefined;
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export interface Markdown {
  readonly text: string;
  readonly fences: readonly Fence[];
  readonly tables: readonly Table[];
  readonly headings: readonly string[];
  /** What its links point to. */
  readonly links: readonly string[];
}

export function readMarkdown(path: string): Markdown {
  return parseMarkdown(readFileSync(`${root}/${path}`, 'utf8'));
}

export function parseMarkdown(text: string): Markdown {
  const fences: Fence[] = [];
  const tables: Table[] = [];
  const headings: string[] = [];
  const prose: string[] = [];
  const lines = text.split('\n');
  let check: string | undefined;
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i] as string;
    const comment = /^<!-- check: (.*) -->$/.exec(line);
    if (comment) {
      check = comment[1];
      continue;
    }
    if (line.startsWith('```')) {
      const end = lines.indexOf('```', i + 1);
      if (end < 0) throw new Error(`the code block of line ${i + 1} has no end`);
      fences.push({ language: line.slice(3), check, code: lines.slice(i + 1, end).join('\n'), line: i + 2 });
      i = end;
    } else if (line.startsWith('|')) {
      let end = i;
      while (lines[end]?.startsWith('|')) end++;
      const [header = [], , ...rows] = lines.slice(i, end).map(cells);
      tables.push({ check, header, rows });
      prose.push(...lines.slice(i, end));
      i = end - 1;
    } else {
      const heading = /^#+ (.*)$/.exec(line);
      if (heading) headings.push(heading[1] as string);
      prose.push(line);
      if (line === '') continue;
    }
    check = undefined;
  }
  const links = [...prose.join('\n').matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1] as string);
  return { text, fences, tables, headings, links };
}

/** The cells of a table's line; `\|` is no border. */
function cells(line: string): string[] {
  const parts = line.split(/(?<!\\)\|/).map((cell) => cell.trim());
  return parts.slice(1, -1);
}

/** The names and values that a cell has in backticks. */
export function quoted(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1] as string);
}

/** The anchor that a heading gets on the usual hosts of repositories. */
export function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(/\s/g, '-');
}

/** The tables marked `check: NAME`; throws if there is none, so that a check cannot come to nothing. */
export function tablesOf({ tables }: Markdown, check: string): readonly Table[] {
  const found = tables.filter((table) => table.check === check);
  if (found.length === 0) throw new Error(`no table is marked "check: ${check}"`);
  return found;
}

/**
 * What a program printed does not show, of a block that shows it shortened: the first of the pieces between dots (a line of them stands for
 * any number of lines) that is not there, after those before it; `undefined` where all are.
 */
export function missingPiece(shown: string, printed: string): string | undefined {
  let from = 0;
  for (const piece of shown.split(/^ *…\n/m)) {
    const at = `\n${printed}`.indexOf(`\n${piece.trimEnd()}\n`, from);
    if (at < 0) return piece;
    from = at + piece.length;
  }
  return undefined;
}

/** The code blocks marked `check: NAME`, each with the block after it: what it prints. Throws if there is none. */
export function examplesOf(
  { fences }: Markdown,
  check: string,
): readonly { readonly code: string; readonly line: number; readonly output: string }[] {
  const found = fences.flatMap(({ check: own, code, line }, i) => {
    if (own !== check) return [];
    const after = fences[i + 1];
    if (after?.language !== 'text') throw new Error(`no output follows the example of line ${line}`);
    return [{ code, line, output: after.code }];
  });
  if (found.length === 0) throw new Error(`no example is marked "check: ${check}"`);
  return found;
}
