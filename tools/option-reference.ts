import { appOptions } from '../packages/millrace/src/app/index.ts'
import { brokerOptions } from '../packages/millrace/src/broker/index.ts'
import type { OptionRow, OptionTable } from '../packages/millrace/src/config/index.ts'

/** `docs/reference/options.md`, made from the option tables. */
export function optionReference(): string {
  return `# Options

Made from the option tables by \`npm run docs\`. A value comes from the first of: flag, environment variable,
configuration, default. All faults of a configuration are told at once, each with its path. Durations are written
\`500ms\`, \`30s\`, \`5m\`, \`2h\`, \`7d\`, sizes \`64MiB\` or \`1GB\`; a plain number is milliseconds or bytes.

What a single consumer can be told (\`retries\`, \`backoff\`, \`deadLetter\`, \`offsets\`, ...) stands in the types of
\`defineConsumer\`, and in the guides to [failures](../guides/failures.md) and [offsets](../guides/offsets.md). What the
commands take is in [cli.md](cli.md).

## An application

Keys of \`defineConfig\` in \`millrace.config.ts\`: \`fetch.buffered\` is \`fetch: { buffered: '16MiB' }\`. The flags belong
to \`millrace worker\`. \`millrace config\` prints every value and where it came from.

${sections(appOptions)}

## The embedded broker

Keys of \`options\` in \`startBroker({ options })\` of \`millrace/broker\`.

${sections(brokerOptions)}
`
}

function sections(table: OptionTable): string {
  return Object.entries<OptionRow>(table)
    .map(([key, row]) => `### ${key}\n\n${row.about}\n\n${facts(row)}`)
    .join('\n\n')
}

function facts(row: OptionRow): string {
  return [
    `- ${row.choices === undefined ? row.type : row.choices.map((one) => `\`${one}\``).join(', ')}`,
    row.default === undefined ? 'no default' : `default \`${String(row.default)}\``,
    ...(row.flag === undefined ? [] : [`flag \`${row.flag}\``]),
    ...(row.env === undefined ? [] : [`variable \`${row.env}\``]),
  ].join('; ')
}
