import { crc32 } from 'node:zlib'
import { partitionOfKey } from '../../protocol/index.ts'

/** What the choice of a partition looks at. */
export interface Choice {
  /** How many partitions the topic has. */
  readonly partitions: number
  /** Batches queued for a partition; undefined while it has no leader. */
  readonly queued: (partition: number) => number | undefined
}

/**
 * The partition of a key, or undefined where the key does not decide.
 * @param key - null: the message has none
 */
export type Partitioner = (key: Buffer | null, partitions: number) => number | undefined

const noKey = Buffer.alloc(0)

/** By murmur2 as the Java client: `(murmur2(key) & 0x7fffffff) % partitions`; by CRC-32 and FNV-1a as librdkafka. */
export const partitioners = {
  random: () => undefined,
  consistent: (key, partitions) => crc32(key ?? noKey) % partitions,
  consistent_random: (key, partitions) =>
    key === null || key.length === 0 ? undefined : crc32(key) % partitions,
  murmur2: (key, partitions) => partitionOfKey(key ?? noKey, partitions),
  murmur2_random: (key, partitions) => (key === null ? undefined : partitionOfKey(key, partitions)),
  fnv1a: (key, partitions) => fnv1a(key ?? noKey) % partitions,
  fnv1a_random: (key, partitions) => (key === null ? undefined : fnv1a(key) % partitions),
} as const satisfies Readonly<Record<string, Partitioner>>

/** By the names of librdkafka's property `partitioner`. */
export type PartitionerName = keyof typeof partitioners

/** 32 bits, of which librdkafka takes the absolute value of the signed number, as Sarama does. */
function fnv1a(key: Buffer): number {
  let hash = 0x811c9dc5
  for (const byte of key) hash = Math.imul(hash ^ byte, 0x01000193)
  return Math.abs(hash | 0)
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
