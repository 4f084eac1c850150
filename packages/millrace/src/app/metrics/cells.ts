import type { MetricRow } from './define-metric.ts'

/** One metric under one set of label values. */
export interface Cell {
  add(value: number): void
}

export class Counter implements Cell {
  total = 0

  add(value: number): void {
    this.total += value
  }
}

export class Gauge implements Cell {
  value = 0

  add(value: number): void {
    this.value = value
  }
}

/** Upper bounds in the metric's own unit: milliseconds, bytes, or a number. */
export const bucketBounds = {
  timer: [1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 300_000],
  sizes: [100, 1000, 10_000, 100_000, 1_000_000, 10_000_000],
  counts: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 10_000],
} as const

/** Most values kept for StatsD between two flushes; of more a fair share is kept, sent with its rate. */
const mostSamples = 64

/** Counts by size for Prometheus, and keeps some values for StatsD when there is one. */
export class Distribution implements Cell {
  readonly bounds: readonly number[]
  /** By bucket, not added up; the last is for what is above all bounds. */
  readonly counts: number[]
  sum = 0
  count = 0
  #samples: number[] | undefined
  #seen = 0

  constructor(bounds: readonly number[], keepsSamples: boolean) {
    this.bounds = bounds
    this.counts = Array.from({ length: bounds.length + 1 }, () => 0)
    if (keepsSamples) this.#samples = []
  }

  add(value: number): void {
    let at = 0
    while (at < this.bounds.length && value > (this.bounds[at] as number)) at++
    this.counts[at] = (this.counts[at] as number) + 1
    this.sum += value
    this.count++
    if (this.#samples !== undefined) this.#sample(value)
  }

  keepSamples(): void {
    this.#samples ??= []
  }

  /** What was kept since the last call, and which part of all that is. */
  takeSamples(): { readonly values: readonly number[]; readonly rate: number } {
    const values = this.#samples ?? []
    const rate = this.#seen === 0 ? 1 : values.length / this.#seen
    if (this.#samples !== undefined) this.#samples = []
    this.#seen = 0
    return { values, rate }
  }

  /** Each value has the same chance to be among those kept (Vitter's algorithm R). */
  #sample(value: number): void {
    const samples = this.#samples as number[]
    this.#seen++
    if (samples.length < mostSamples) {
      samples.push(value)
      return
    }
    const at = Math.floor(Math.random() * this.#seen)
    if (at < mostSamples) samples[at] = value
  }
}

export function makeCell({ type }: MetricRow, keepsSamples: boolean): Cell {
  switch (type) {
    case 'counter':
      return new Counter()
    case 'gauge':
      return new Gauge()
    case 'timer':
    case 'sizes':
    case 'counts':
      return new Distribution(bucketBounds[type], keepsSamples)
  }
}
