import type { Moment } from '../consumer/consumer-class.ts'
import type { DeliveredMessage } from '../message/message.ts'
import { copyBytes } from './copy-bytes.ts'
import type { WireJob, WireMessage } from './messages.ts'

/** A handler call as it crosses, and the memory that is handed over with it. */
export function jobToWire({ context, mode, messages }: Moment): {
  readonly work: WireJob
  readonly handedOver: ArrayBuffer[]
} {
  const { consumer, group, attempt, batch } = context
  const handedOver: ArrayBuffer[] = []
  const wire = messages.map((message) => messageToWire(message, handedOver))
  return { work: { mode, consumer, group, attempt, batch, messages: wire }, handedOver }
}

function messageToWire(
  { topic, source }: DeliveredMessage,
  handedOver: ArrayBuffer[],
): WireMessage {
  return {
    topic,
    partition: source.partition,
    offset: source.offset,
    timestamp: source.timestamp,
    timestampType: source.timestampType,
    receivedAt: source.receivedAt,
    key: copyBytes(source.key, handedOver),
    value: copyBytes(source.value, handedOver),
    headers: source.headers.map(([name, value]) => [name, copyBytes(value, handedOver)]),
  }
}
