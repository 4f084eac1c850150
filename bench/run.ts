/**
 * Every race, one after the other, in one run: `npm run bench`.
 *
 *     npm run bench -- [--only NAME] [--rounds N] [--json FILE]
 *
 * `--only` takes a part of a race's name; `--json` writes `{ machine, versions, at, rounds, rows }`. Exits 0 also when a
 * bar is missed: that is a finding, and the table says so. Close what else is running.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { cpus, release, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { kafkaVersion } from '../tools/kafka/fetch-kafka.ts'
import { table, type Row } from './row.ts'

/** What each race is started with; `ROUNDS` stands for the number. */
const races: Readonly<Record<string, readonly string[]>> = {
  startup: ['startup.ts', '--rounds', 'ROUNDS'],
  'broker over Apache Kafka': ['broker-race.ts', 'ROUNDS'],
  producers: ['producer.ts', '--rounds', 'ROUNDS'],
  'producers on Apache Kafka': ['producer.ts', '--rounds', 'ROUNDS', '--engine', 'kafka'],
  consumers: ['consumer.ts', '--rounds', 'ROUNDS'],
  'consumers on Apache Kafka': ['consumer.ts', '--rounds', 'ROUNDS', '--engine', 'kafka'],
  frameworks: ['framework.ts', '--rounds', 'ROUNDS'],
  lanes: ['lanes.ts', '--rounds', 'ROUNDS'],
  gateway: ['gateway.ts', '--rounds', 'ROUNDS'],
}

export interface BenchResults {
  readonly machine: string
  readonly versions: Readonly<Record<string, string>>
  readonly at: string
  readonly rounds: number
  readonly rows: readonly Row[]
}

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    json: { type: 'string' },
    rounds: { type: 'string', default: '3' },
  },
})
const { only, json, rounds } = values
const chosen = Object.entries(races).filter(([name]) => only === undefined || name.includes(only))
if (chosen.length === 0)
  throw new Error(`there is no race ${only}; there are ${Object.keys(races).join(', ')}`)

const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-'))
const file = join(folder, 'rows')
await writeFile(file, '')
for (const [name, [program = '', ...args]] of chosen) {
  console.log(`\n=== ${name}`)
  const child = spawn(
    process.execPath,
    [
      '--disable-warning=TimeoutNegativeWarning',
      join(import.meta.dirname, program),
      ...args.map((arg) => (arg === 'ROUNDS' ? rounds : arg)),
    ],
    { stdio: 'inherit', env: { ...process.env, BENCH_ROWS: file } },
  )
  const [code] = (await once(child, 'exit')) as [number | null]
  if (code !== 0) {
    console.log(`${name} failed`)
    process.exitCode = 1
  }
}
const text = await readFile(file, 'utf8')
await rm(folder, { recursive: true })
const rows = text
  .split('\n')
  .filter(Boolean)
  .map((line) => JSON.parse(line) as Row)
console.log(`\n=== all\n${table(rows)}`)
const missed = rows.filter(({ ok }) => !ok).length
console.log(`${rows.length} rows, ${missed === 0 ? 'every bar is reached' : `${missed} missed`}`)
if (json !== undefined) {
  const results: BenchResults = {
    machine: `${cpus()[0]?.model ?? 'unknown'}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}`,
    versions: await versions(),
    at: new Date().toISOString(),
    rounds: Number(rounds),
    rows,
  }
  await writeFile(json, `${JSON.stringify(results, null, 2)}\n`)
}

async function versions(): Promise<Record<string, string>> {
  const lock = JSON.parse(
    await readFile(join(import.meta.dirname, '../package-lock.json'), 'utf8'),
  ) as { packages: Record<string, { version?: string }> }
  const peers = ['kafkajs', '@platformatic/kafka', '@kafkats/client']
  return {
    node: process.version,
    'Apache Kafka': kafkaVersion,
    ...Object.fromEntries(
      peers.map((name) => [name, lock.packages[`node_modules/${name}`]?.version ?? 'unknown']),
    ),
  }
}
