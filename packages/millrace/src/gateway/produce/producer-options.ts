import type { PartitionerName, ProducerOptions } from '../../client/index.ts'
import { failure } from '../../errors/index.ts'
import type { GatewaySettings } from '../settings.ts'

/** librdkafka's default for `message.max.bytes`. */
const mostMessageBytes = 1_000_000
/** The client counts the header of a batch, librdkafka does not. */
export const batchOverhead = 61

const partitionerNames: readonly PartitionerName[] = [
  'random',
  'consistent',
  'consistent_random',
  'murmur2',
  'murmur2_random',
  'fnv1a',
  'fnv1a_random',
]
const compressions = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const

/**
 * What the producer section means to our client. Properties without a meaning here were checked where the
 * configuration was read.
 * @throws MR_CONFIG_INVALID with every fault
 */
export function producerOptions(settings: GatewaySettings): ProducerOptions {
  const { producer, createsTopics, bufferBytes } = settings
  const faults: string[] = []
  const first = (...names: readonly string[]): string | undefined => {
    const name = names.find((one) => producer[one] !== undefined)
    return name === undefined ? undefined : String(producer[name])
  }
  const number = (...names: readonly string[]): number | undefined => {
    const text = first(...names)
    if (text === undefined) return undefined
    const value = Number(text)
    if (!Number.isFinite(value) || value < 0 || text.trim() === '')
      faults.push(`producer.${names[0]}: ${text} is no number`)
    return value
  }
  const oneOf = <T extends string>(
    name: string,
    text: string,
    all: readonly T[],
  ): T | undefined => {
    const found = all.find((one) => one === text)
    if (found === undefined) faults.push(`producer.${name}: ${text} is none of ${all.join(', ')}`)
    return found
  }
  const partitioner = oneOf(
    'partitioner',
    first('partitioner') ?? 'murmur2_random',
    partitionerNames,
  )
  const codec = first('compression.codec', 'compression.type') ?? 'none'
  const compression = oneOf('compression.codec', codec === 'inherit' ? 'none' : codec, compressions)
  const lingerMs = number('linger.ms', 'queue.buffering.max.ms')
  const batchBytes = number('batch.size')
  const timeoutMs = number('delivery.timeout.ms', 'message.timeout.ms')
  const inFlight = number('max.in.flight.requests.per.connection', 'max.in.flight')
  const maxMessageBytes = number('message.max.bytes') ?? mostMessageBytes
  const acksText = first('acks', 'request.required.acks') ?? '-1'
  const acks = oneOf('acks', acksText === 'all' ? '-1' : acksText, ['-1', '0', '1'] as const)
  if (faults.length > 0) throw failure('MR_CONFIG_INVALID', { faults })
  return {
    mayCreateTopics: createsTopics,
    // News of a topic travel between brokers in less; the gateway remembers what is missing.
    unknownTopicMs: createsTopics ? 3000 : 0,
    maxMessageBytes: maxMessageBytes + batchOverhead,
    // Its own bound is looked at before a message is accepted, so that none ever waits for room.
    bufferBytes: bufferBytes * 2 + 64 * 1024 * 1024,
    maxBlockMs: timeoutMs === undefined || timeoutMs === 0 ? 300_000 : timeoutMs,
    deliveryTimeoutMs: timeoutMs === undefined || timeoutMs === 0 ? 300_000 : timeoutMs,
    ...(partitioner === undefined ? {} : { partitioner }),
    ...(compression === undefined ? {} : { compression }),
    ...(acks === undefined ? {} : { acks: Number(acks) as -1 | 0 | 1 }),
    ...(lingerMs === undefined ? {} : { lingerMs }),
    ...(batchBytes === undefined ? {} : { batchBytes }),
    ...(inFlight === undefined ? {} : { maxInFlight: inFlight }),
  }
}

/** What one connection may have on its way: librdkafka's bounds on the queue of a producer, where they are given. */
export function queueBounds(settings: GatewaySettings): {
  readonly messages: number
  readonly bytes: number
} {
  const { producer, bufferBytesPerConnection } = settings
  const messages = Number(producer['queue.buffering.max.messages'] ?? 0)
  const kbytes = Number(producer['queue.buffering.max.kbytes'] ?? Infinity)
  return {
    // 0 switches the bound off, as in librdkafka.
    messages: messages > 0 ? messages : Infinity,
    bytes: Math.min(bufferBytesPerConnection, kbytes > 0 ? kbytes * 1024 : Infinity),
  }
}
