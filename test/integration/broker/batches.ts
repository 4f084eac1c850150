import { BatchBuilder } from '../../../packages/millrace/src/protocol/index.ts'

/** One batch of text values, as a producer writes it. */
export function batchOf(
  values: readonly string[],
  options: { producerId?: number; epoch?: number; sequence?: number; timestamp?: number } = {},
): Buffer {
  const builder = new BatchBuilder()
  for (const value of values)
    builder.append({ key: null, value, timestamp: options.timestamp ?? Date.now() })
  return builder.build({
    compression: 'none',
    producerId: options.producerId ?? -1,
    producerEpoch: options.epoch ?? (options.producerId === undefined ? -1 : 0),
    baseSequence: options.sequence ?? (options.producerId === undefined ? -1 : 0),
  })
}

/** The body of a Produce request for one partition. */
export function produceTo(
  name: string,
  index: number,
  records: Buffer,
  acks = -1,
): {
  transactionalId: null
  acks: number
  timeoutMs: number
  topicData: { name: string; partitionData: { index: number; records: Buffer }[] }[]
} {
  return {
    transactionalId: null,
    acks,
    timeoutMs: 5000,
    topicData: [{ name, partitionData: [{ index, records }] }],
  }
}
