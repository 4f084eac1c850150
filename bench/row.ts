import { appendFile } from 'node:fs/promises'

/** One comparison of one run. */
export interface Row {
  readonly name: string
  /** Of `ours` and `peer`. */
  readonly unit: string
  readonly ours: number
  readonly peer: number
  readonly peerName: string
  /** `ours / peer`; with `timesLess`, `peer / ours`. */
  readonly ratio: number
  readonly goal: number
  readonly better: Better
  readonly ok: boolean
  /** Measurements of each side; the figures are their medians. */
  readonly runs: number
}

/** How a ratio is read: at least the goal, at most the goal, or as a factor by which ours is less. */
export type Better = 'more' | 'less' | 'timesLess'

export function rowOf(facts: {
  readonly name: string
  readonly unit: string
  readonly ours: readonly number[]
  readonly peer: readonly number[]
  readonly peerName: string
  readonly goal: number
  readonly better: Better
}): Row {
  const { name, unit, peerName, goal, better } = facts
  const ours = median(facts.ours)
  const peer = median(facts.peer)
  const ratio = better === 'timesLess' ? peer / ours : ours / peer
  const ok = better === 'less' ? ratio <= goal : ratio >= goal
  return { name, unit, ours, peer, peerName, ratio, goal, better, ok, runs: facts.ours.length }
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2
}

/** Prints rows, and hands them to `bench/run.ts` when that has started this process. */
export async function report(rows: readonly Row[]): Promise<void> {
  console.log(table(rows))
  const file = process.env['BENCH_ROWS']
  if (file !== undefined)
    await appendFile(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
}

export function table(rows: readonly Row[]): string {
  const width = Math.max(...rows.map(({ name }) => name.length))
  return rows
    .map((row) => {
      const { name, unit, ours, peer, peerName, ratio, goal, better, ok } = row
      const bound = better === 'less' ? `at most ${goal}` : `at least ${goal}`
      const figures = `${figure(ours)} against ${figure(peer)} ${unit} of ${peerName}`
      return `${ok ? 'ok    ' : 'missed'} ${name.padEnd(width)}  ${figure(ratio).padStart(6)} (${bound})  ${figures}`
    })
    .join('\n')
}

export function figure(value: number): string {
  if (value >= 1000) return Math.round(value).toLocaleString('en')
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3)
}
