import { partitionOfKey } from '../../protocol/index.ts'

/** What the choice of a partition looks at. */
export interface Choice {
  /** How many partitions the topic has. */
  readonly partitions: number
  /** Batches queued for a partition; undefined while it has no leader. */
  readonly queued: (partition: number) => number | undefined
}

/** As the Java client: `(murmur2(key) & 0x7fffffff) % partitions`. */
export function partitionForKey(key: Buffer, partitions: number): number {
  return partitionOfKey(key, partitions)
}

/**
 * Messages without a key stay on one partition until its batch has gone (KIP-480), so that batches are few and
 * full. The next is drawn with weights against queue length (KIP-794): a slow broker gets less.
 */
export class StickyPartition {
  readonly #random: () => number
  #current: number | undefined

  constructor(random: () => number = Math.random) {
    this.#random = random
  }

  /** @param hasOpenBatch - does the partition still collect the batch that made it the current one? */
  choose(choice: Choice, hasOpenBatch: (partition: number) => boolean): number {
    const current = this.#current
    if (current !== undefined && current < choice.partitions && hasOpenBatch(current))
      return current
    const next = draw(choice, this.#random())
    this.#current = next
    return next
  }
}

function draw({ partitions, queued }: Choice, chance: number): number {
  let longest = 0
  let available = 0
  let sum = 0
  for (let partition = 0; partition < partitions; partition++) {
    const length = queued(partition)
    if (length === undefined) continue
    available++
    sum += length
    longest = Math.max(longest, length)
  }
  // Nothing has a leader: any will do, its batch waits for the election.
  if (available === 0) return Math.min(partitions - 1, Math.floor(chance * partitions))
  const total = available * (longest + 1) - sum
  let left = chance * total
  let last = 0
  for (let partition = 0; partition < partitions; partition++) {
    const length = queued(partition)
    if (length === undefined) continue
    last = partition
    left -= longest + 1 - length
    if (left < 0) return partition
  }
  return last
}
