/** Batches that say their own sequence, so that losses and repeats show. One record each. */
import {
  decodeRecords,
  encodeBatch,
  readBatchHeader,
  splitBatches,
} from '../../../packages/millrace/src/protocol/index.ts'
import type { LogStore, PartitionLog } from '../../../packages/millrace/src/storage/index.ts'

export const topic = 'numbers'
export const partitions = 3

/** Small segments and quick syncs: every kill falls near a roll or a checkpoint. */
export const folderOptions = {
  segmentBytes: 8192,
  syncIntervalMs: 5,
  reserveBytes: 65_536,
} as const

export function numberedBatch(partition: number, sequence: number): Buffer {
  const filler = 'x'.repeat((sequence * 37) % 400)
  return encodeBatch({ producerId: 100 + partition, producerEpoch: 0, baseSequence: sequence }, [
    {
      offset: 0,
      timestamp: 1_700_000_000_000 + sequence,
      key: null,
      value: `${sequence} ${filler}`,
    },
  ])
}

/** @returns the offset, of the first time when it is a repeat */
export function appendSequenced(store: LogStore, partition: number, sequence: number): number {
  const batch = numberedBatch(partition, sequence)
  const result = store.partition(topic, partition)?.append(batch, readBatchHeader(batch))
  if (result?.kind !== 'appended' && result?.kind !== 'duplicate')
    throw new Error(`${partition} refused ${sequence}: ${JSON.stringify(result)}`)
  return result.baseOffset
}

/** The sequence at each offset. */
export async function readNumbers(log: PartitionLog): Promise<number[]> {
  const numbers: number[] = []
  while (numbers.length < log.highWatermark) {
    const bytes = await log.read(numbers.length, { maxBytes: 1_000_000, minOneBatch: true })
    for (const batch of splitBatches(bytes))
      for (const { value } of decodeRecords(batch)) numbers.push(Number.parseInt(String(value), 10))
  }
  return numbers
}
