import { errorTable, type ErrorRow } from '../packages/millrace/src/errors/index.ts'

/** `docs/reference/errors.md`, made from the error table. */
export function errorReference(): string {
  const rows: readonly [string, ErrorRow][] = Object.entries(errorTable)
  const sections = rows
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(
      ([code, row]) =>
        `## ${code}\n\n${row.class}${row.retriable ? ', may succeed when tried again' : ''}.\n\n${row.hint}\n`,
    )
  return `# Errors\n\nMade from the error table by \`npm run docs\`. Match on the code: it never changes its meaning, the text may.\n\n${sections.join('\n')}`
}
