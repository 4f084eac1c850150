/**
 * How long the command takes to say something: `node bench/startup.ts [--rounds N]`. Ratios to `node -e 0`, on the
 * compiled package.
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { report, rowOf } from './row.ts'

const command = join(import.meta.dirname, '../packages/millrace/bin/millrace.js')
const at = process.argv.indexOf('--rounds')
const rounds = 10 * Number(at < 0 ? 1 : process.argv[at + 1])

const help: number[] = []
const bare: number[] = []
// The first of each warms the page cache.
for (let round = -1; round < rounds; round++) {
  const times = [timeOf([command, '--help']), timeOf(['-e', '0'])] as const
  if (round < 0) continue
  help.push(times[0])
  bare.push(times[1])
}
await report([
  rowOf({
    name: 'millrace --help',
    unit: 'ms',
    ours: help,
    peer: bare,
    peerName: 'node -e 0',
    goal: 2.5,
    better: 'less',
  }),
])

function timeOf(args: readonly string[]): number {
  const startMs = performance.now()
  const { status } = spawnSync(process.execPath, args, { stdio: 'ignore' })
  if (status !== 0) throw new Error(`node ${args.join(' ')} ended with ${status}`)
  return performance.now() - startMs
}
