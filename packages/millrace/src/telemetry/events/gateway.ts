import { defineEvent } from '../define-event.ts'

export const gatewayEvents = {
  gatewayStarted: defineEvent<{
    readonly address: string
    readonly brokers: readonly string[]
    /** How keys choose partitions: `murmur2_random`, or what a Rafka configuration means, `consistent_random`. */
    readonly partitioner: string
  }>('gateway.started', 'The gateway listens.'),
  gatewayStopping: defineEvent<{ readonly address: string; readonly connections: number }>(
    'gateway.stopping',
    'The gateway drains: blocked calls are told, consumers commit and leave.',
  ),
  gatewayStopped: defineEvent<{
    readonly address: string
    readonly durationMs: number
    /** Accepted messages that the broker has not taken. */
    readonly unflushed: number
  }>('gateway.stopped', 'The gateway has ended.'),
  gatewayConnected: defineEvent<{ readonly address: string }>(
    'gateway.connected',
    'A client has connected to the gateway.',
  ),
  gatewayClosed: defineEvent<{ readonly client: string; readonly address: string }>(
    'gateway.closed',
    'A connection to the gateway is over.',
  ),
  gatewayRefused: defineEvent<{ readonly address: string; readonly reason: string }>(
    'gateway.refused',
    'The gateway closed a connection before it read from it.',
  ),
  gatewayDisconnected: defineEvent<{
    readonly client: string
    readonly address: string
    readonly reason: string
  }>('gateway.disconnected', 'The gateway closed a connection that its client did not.'),
  gatewayProtocolError: defineEvent<{
    readonly client: string
    readonly address: string
    readonly error: string
  }>('gateway.protocol.error', 'A client sent what is no command; its connection is closed.'),
  gatewayDeliveryFailed: defineEvent<{
    readonly topic: string
    readonly reason: string
    readonly error: unknown
  }>('gateway.delivery.failed', 'A message that RPUSHX had accepted was not delivered.'),
  gatewayUnsent: defineEvent<{
    readonly messages: number
    readonly topic: string | undefined
    /** Where they lie, for `millrace write --file`; undefined: they are lost. */
    readonly file: string | undefined
  }>('gateway.unsent', 'The gateway ends with accepted messages that the broker has not taken.'),
  gatewayCommitFailed: defineEvent<{
    readonly consumer: string
    readonly groupId: string
    readonly error: unknown
  }>(
    'gateway.commit.failed',
    'Acknowledged positions could not be committed; they are tried again.',
  ),
  gatewayConsumerFailed: defineEvent<{
    readonly consumer: string
    readonly groupId: string
    readonly error: unknown
  }>('gateway.consumer.failed', 'A consumer of the gateway met an error; its client is told once.'),
  gatewayConsumerRefused: defineEvent<{
    readonly consumer: string
    readonly client: string
    readonly reason: string
  }>('gateway.consumer.refused', 'The configuration that a BLPOP brought was refused.'),
  gatewayPropertyIgnored: defineEvent<{ readonly property: string }>(
    'gateway.property.ignored',
    'A property of librdkafka has no meaning here. Told once a process.',
  ),
  gatewayTopicMissing: defineEvent<{
    readonly consumer: string
    readonly groupId: string
    readonly topic: string
  }>(
    'gateway.topic.missing',
    'A consumer waits for a topic that is not there; it is read once it is. Told once a consumer.',
  ),
  gatewayTopicsUnknown: defineEvent<{ readonly groupId: string; readonly error: unknown }>(
    'gateway.topics.unknown',
    'The topics of a subscription could not be looked up; those of an expression are tried again.',
  ),
  gatewayDefect: defineEvent<{
    readonly command: string
    readonly client: string
    readonly error: unknown
  }>(
    'gateway.defect',
    'A command failed in a way that nobody foresaw; its client heard only that.',
  ),
  gatewayTrimIgnored: defineEvent<{ readonly topic: string }>(
    'gateway.trim.ignored',
    'XADD asked for approximate trimming, which retention does here. Told once a process.',
  ),
  gatewayStreamsCommitFailed: defineEvent<{
    readonly groupId: string
    readonly consumer: string
    readonly error: unknown
  }>(
    'gateway.streams.commit.failed',
    'A Streams consumer could not commit what was acknowledged; it is tried again while it holds the partition.',
  ),
  gatewayTailBroke: defineEvent<{ readonly topic: string; readonly error: unknown }>(
    'gateway.tail.broke',
    'Reading for SUBSCRIBE failed; it goes on at the end of the log a second later.',
  ),
}
