import {
  lacking,
  otherAnswers,
  otherValues,
  type Difference,
} from '../test/kafka/engine-differences.ts'

type Column = 'what' | 'kafka' | 'embedded' | 'why'

/** `docs/reference/engines.md`, made from the table of differences that the comparing tests read. */
export function engineReference(): string {
  return `# Two engines: what differs

Made by \`npm run docs\` from the table that the comparing tests read (\`test/kafka/engine-differences.ts\`): a difference that is not here fails them.

The embedded broker speaks Kafka's protocol and stores Kafka's formats, so an application moves to an Apache Kafka cluster by changing \`brokers\`. Every scenario in \`test/scenarios\`, and five other clients in \`test/conformance/peers\`, run on both (\`npm run test:kafka\`); \`test/kafka\` puts the same requests, in every version both offer, to both and compares the answers field by field, and compares our schemas with Kafka's published definitions. This is what differs, and why.

## What the embedded broker does not have

${table(lacking, { what: 'Apache Kafka', embedded: 'embedded', why: 'why' })}

An API that is missing is absent from the ApiVersions answer, so clients fall back or say so by name. Which clients and tools were tried: [clients](clients.md).

## What is the same word with another value

${table(otherValues, { what: 'setting', kafka: 'Apache Kafka', embedded: 'embedded', why: 'why' })}

## Answers that differ in small ways

${table(otherAnswers, { what: 'request', kafka: 'Apache Kafka', embedded: 'embedded', why: 'why' })}
`
}

function table(
  rows: readonly Difference[],
  titles: Readonly<Partial<Record<Column, string>>>,
): string {
  const columns = Object.keys(titles) as Column[]
  const cells = [
    columns.map((column) => titles[column] ?? ''),
    ...rows.map((row) => columns.map((column) => row[column] ?? '')),
  ]
  const widths = columns.map((_, at) => Math.max(...cells.map((row) => row[at]?.length ?? 0)))
  const lines = cells.map(
    (row) => `| ${row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(' | ')} |`,
  )
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`
  return [lines[0], rule, ...lines.slice(1)].join('\n')
}
