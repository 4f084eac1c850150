/**
 * Buckets for latencies whose percentiles are off by at most 1 %, whatever the spread. Bucket `i` holds
 * (g^(i-1), g^i] with g = (1 + a) / (1 - a); its estimate is the point that is equally wrong at both ends.
 * Buckets add up: over minutes, routes and processes. Zero has one of its own. About 760 buckets reach from
 * 1 ms to an hour, and only those in use are stored. (DDSketch, VLDB 2019.)
 */
export const relativeError = 0.01

const growth = (1 + relativeError) / (1 - relativeError)
const logGrowth = Math.log(growth)

/** @param value - above zero */
export function bucketOf(value: number): number {
  return Math.ceil(Math.log(value) / logGrowth)
}

/** What a value in this bucket is taken for. */
export function bucketValue(index: number): number {
  return (2 * growth ** index) / (growth + 1)
}

export interface Distribution {
  readonly count: number
  readonly sum: number
  readonly min: number
  readonly max: number
  readonly zeros: number
  readonly buckets: ReadonlyMap<number, number>
}

/**
 * The value at `quantile` (0 to 1), within 1 % of what sorting all values and taking index
 * `floor(quantile * (count - 1))` gives. Null when nothing was counted.
 */
export function quantileOf(distribution: Distribution, quantile: number): number | null {
  const { count, zeros, buckets, min, max } = distribution
  if (count === 0) return null
  const rank = Math.floor(quantile * (count - 1))
  if (rank < zeros) return 0
  let passed = zeros
  for (const index of [...buckets.keys()].toSorted((left, right) => left - right)) {
    passed += buckets.get(index) ?? 0
    if (passed > rank) return Math.min(max, Math.max(min, bucketValue(index)))
  }
  return max
}
