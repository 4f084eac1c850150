/** Runs the main job as a process, looks at what it left, and kills parts of it. */
import assert from 'node:assert/strict'
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const root = join(import.meta.dirname, '../..')
const command = join(root, 'packages/millrace/bin/millrace.js')
const example = join(root, 'examples/log-platform')

/** What the data says, whoever counts. */
export const facts = {
  requests: 10_000,
  methods: { GET: 9952, HEAD: 42, POST: 5, OPTIONS: 1 },
  statuses: { 200: 9126, 206: 45, 301: 164, 304: 445, 403: 2, 404: 213, 416: 2, 500: 3 },
  paths: 1368,
  /** With the query. */
  rawPaths: 1498,
  reads: 9994,
} as const

/** The part of the report that a second start, a kill or another store must not change. */
export interface Report {
  readonly counted: number
  readonly paths: number
  readonly methods: Readonly<Record<string, number>>
  readonly statuses: Readonly<Record<string, number>>
  readonly routeCount: number
  readonly replay: { readonly reads: number; readonly replayed: number }
}

export interface Job {
  readonly process: ChildProcess
  /** The report, or undefined when the process was killed. Rejects when it failed. */
  readonly report: Promise<Report | undefined>
}

export function startMainJob(dataFolder: string, env: Readonly<Record<string, string>> = {}): Job {
  const child = spawn(
    process.execPath,
    [
      command,
      'dev',
      '--folder',
      example,
      '--data',
      dataFolder,
      '--port',
      '0',
      '--drain-port',
      '0',
      '--once',
      '--json',
    ],
    { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] },
  )
  return { process: child, report: reportOf(child) }
}

async function reportOf(child: ChildProcess): Promise<Report | undefined> {
  let out = ''
  let talk = ''
  child.stdout?.on('data', (chunk: Buffer) => (out += chunk.toString()))
  child.stderr?.on('data', (chunk: Buffer) => (talk += chunk.toString()))
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
  if (signal === 'SIGKILL') return undefined
  assert.equal(
    code,
    0,
    `the main job ended with ${code ?? signal}:\n${talk}\n${out.slice(0, 2000)}`,
  )
  return JSON.parse(out) as Report
}

/** Every total that is known beforehand. */
export function assertTotals(report: Report): void {
  assert.equal(report.counted, facts.requests)
  assert.equal(report.paths, facts.paths)
  assert.deepEqual(report.methods, facts.methods)
  assert.deepEqual(report.statuses, facts.statuses)
  assert.deepEqual(
    { reads: report.replay.reads, replayed: report.replay.replayed },
    { reads: facts.reads, replayed: facts.reads },
  )
}

/** An independent count over a site's access log. */
export interface LogCount {
  readonly lines: number
  readonly ids: ReadonlySet<string>
  readonly methods: Readonly<Record<string, number>>
  readonly statuses: Readonly<Record<string, number>>
}

/** Lines are `... "METHOD PATH HTTP/1.1" STATUS BYTES REQUEST-ID`. */
export async function countAccessLog(path: string): Promise<LogCount> {
  const methods: Record<string, number> = {}
  const statuses: Record<string, number> = {}
  const ids = new Set<string>()
  const lines = (await readFile(path, 'utf8')).split('\n').filter((line) => line !== '')
  for (const line of lines) {
    const match = /"(\S+) .* HTTP\/1\.\d" (\d{3}) \S+ (\S+)$/.exec(line)
    assert.ok(match, `no access log line: ${line}`)
    const [, method = '', status = '', id = ''] = match
    methods[method] = (methods[method] ?? 0) + 1
    statuses[status] = (statuses[status] ?? 0) + 1
    ids.add(id)
  }
  return { lines: lines.length, ids, methods, statuses }
}

export interface Victim {
  readonly pid: number
  readonly name: string
}

/** The job's own process and everything below it. */
export async function processesOf(job: Job): Promise<readonly Victim[]> {
  const { pid } = job.process
  if (pid === undefined) return []
  const { stdout } = await promisify(execFile)('ps', ['-eo', 'pid=,ppid=,args='])
  const rows = stdout.split('\n').flatMap((line) => {
    const [, child, parent, text = ''] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? []
    return child === undefined ? [] : [{ pid: Number(child), parent: Number(parent), text }]
  })
  const found: Victim[] = [{ pid, name: 'millrace dev (broker, drain, worker)' }]
  for (const { pid: known } of found) {
    for (const row of rows)
      if (row.parent === known) found.push({ pid: row.pid, name: nameOf(row.text) })
  }
  return found
}

function nameOf(text: string): string {
  if (text.includes('feeder-process')) return 'feeder (router and Logplex)'
  if (text.includes('staging-access')) return 'staging site'
  return text.includes('site-process') ? 'demo site' : text.slice(0, 80)
}
