import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { figure, type Row } from '../bench/row.ts'
import type { BenchResults } from '../bench/run.ts'

/** `docs/reference/performance.md`, made from the last kept run of `npm run bench`. */
export function performanceReference(): string {
  const file = join(import.meta.dirname, '../bench/results/latest.json')
  const results = JSON.parse(readFileSync(file, 'utf8')) as BenchResults
  const { machine, versions, at, rounds, rows } = results
  const missed = rows.filter(({ ok }) => !ok)
  return `# Performance

Made by \`npm run docs\` from one run of \`npm run bench\` (\`bench/results/latest.json\`). Each line is a race of two, in turns on one machine within one run: believe the ratios. Rates follow the machine and whoever else uses it, so none of them is a promise.

- Run on ${at.slice(0, 10)}: ${machine}.
- ${Object.entries(versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(', ')}.
- Medians of ${rounds} rounds; start-up of ten times as many.

${table(rows)}

${
  missed.length === 0
    ? 'Every bar is reached.'
    : `Missed: ${missed.map(({ name }) => name).join('; ')}. What limits them is in [bench](../../bench/README.md#what-is-missed-and-why).`
}

## Run it yourself

\`\`\`sh
npm ci
npm ci --prefix bench/peers   # NestJS; without it that line is left out
npm run test:kafka            # fetches Apache Kafka; without it its lines are left out
npm run bench -- --json results.json
\`\`\`

The broker is driven by a small C program on librdkafka (\`bench/driver\`), so a C compiler and \`librdkafka-dev\` are needed for its lines. Close what else is running; it takes about a quarter of an hour. What each race does is in [bench](../../bench/README.md).
`
}

function table(rows: readonly Row[]): string {
  const cells = [
    ['race', 'ours', 'the other', 'ratio', 'bar', ''],
    ...rows.map((row) => {
      const { name, unit, ours, peer, peerName, ratio, goal, better, ok } = row
      return [
        name,
        `${figure(ours)} ${unit}`,
        `${figure(peer)} ${unit}, ${peerName}`,
        better === 'timesLess' ? `${figure(ratio)} times less` : figure(ratio),
        better === 'less' ? `at most ${goal}` : `at least ${goal}`,
        ok ? 'reached' : 'missed',
      ]
    }),
  ]
  const widths = cells[0]!.map((_, at) => Math.max(...cells.map((row) => row[at]!.length)))
  const lines = cells.map(
    (row) => `| ${row.map((cell, at) => cell.padEnd(widths[at]!)).join(' | ')} |`,
  )
  const rule = `| ${widths.map((width) => '-'.repeat(Math.max(3, width))).join(' | ')} |`
  return [lines[0], rule, ...lines.slice(1)].join('\n')
}
