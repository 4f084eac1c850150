/** Text for a terminal: aligned columns and the `Label: value` blocks. */

/** A header and rows in columns two spaces apart; numbers to the right. Empty for no rows. */
export function columns(rows: readonly Readonly<Record<string, string | number>>[]): string {
  const [first] = rows
  if (!first) return ''
  const names = Object.keys(first)
  const cells = [names, ...rows.map((row) => names.map((name) => String(row[name] ?? '')))]
  const widths = names.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)))
  const isNumber = names.map((name) => rows.every((row) => typeof row[name] === 'number'))
  return cells
    .map((row) =>
      row
        .map((cell, column) =>
          isNumber[column] ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** `Label: value` lines under a heading. Values stand in one column when aligned, else after one space; unknown ones are left out. */
export function labelled(
  heading: string,
  lines: readonly (readonly [label: string, value: string | undefined])[],
  { isAligned }: { readonly isAligned: boolean },
): string {
  const known = lines.filter((line): line is readonly [string, string] => line[1] !== undefined)
  const width = Math.max(0, ...known.map(([label]) => label.length + 1))
  const text = known.map(([label, value]) => {
    const start = `${label}:`
    return `${isAligned ? start.padEnd(width) : start} ${value}`
  })
  return [`=== ${heading}`, ...text].join('\n')
}

/** `1 topic`, `2 topics`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
