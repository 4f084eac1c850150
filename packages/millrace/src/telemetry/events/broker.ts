import { defineEvent } from '../define-event.ts'

export const brokerEvents = {
  brokerStarted: defineEvent<{
    readonly address: string
    readonly folder: string
    readonly clusterId: string
    readonly topics: number
    readonly durationMs: number
  }>('broker.started', 'the embedded broker answers'),
  brokerStopped: defineEvent<{ readonly address: string }>(
    'broker.stopped',
    'the embedded broker has closed its connections and its log',
  ),
  brokerRepaired: defineEvent<{
    readonly topic: string
    readonly partition: number
    readonly bytes: number
    readonly offset: number
    readonly cause: string
  }>('broker.repaired', 'after a crash, a partition was cut back to its last whole batch'),
  brokerWarning: defineEvent<{ readonly message: string; readonly hint: string }>(
    'broker.warning',
    'something about the broker is likely not what was meant',
  ),
  brokerConnectionOpened: defineEvent<{ readonly connection: number; readonly host: string }>(
    'broker.connection-opened',
    'a client connected',
  ),
  brokerConnectionClosed: defineEvent<{
    readonly connection: number
    readonly host: string
    readonly reason: string
  }>('broker.connection-closed', 'a connection of a client ended, by either side'),
  brokerRequest: defineEvent<{
    readonly connection: number
    readonly clientId: string
    readonly api: string
    readonly version: number
    /** Of the request. */
    readonly bytes: number
    /** Until the answer was ready; waiting fetches and joins included. */
    readonly durationMs: number
  }>('broker.request', 'a request was answered'),
  brokerRequestFailed: defineEvent<{
    readonly connection: number
    readonly host: string
    readonly error: unknown
  }>('broker.request-failed', 'a request could not be read or served; its connection was closed'),
  brokerTopicCreated: defineEvent<{
    readonly topic: string
    readonly partitions: number
    /** By a client that only asked for metadata. */
    readonly isAutomatic: boolean
  }>('broker.topic-created', 'a topic was made'),
  brokerTopicDeleted: defineEvent<{ readonly topic: string }>(
    'broker.topic-deleted',
    'a topic was deleted',
  ),
  brokerGroupChanged: defineEvent<{
    readonly group: string
    readonly state: string
    readonly generation: number
    readonly members: number
    readonly reason: string
  }>('broker.group-changed', 'a consumer group went to another state'),
  brokerRetained: defineEvent<{
    readonly segments: number
    readonly bytes: number
  }>('broker.retained', 'segments past their retention were deleted'),
  brokerTaskFailed: defineEvent<{ readonly task: string; readonly error: unknown }>(
    'broker.task-failed',
    'work in the background of the broker failed; it is tried again at its next time',
  ),
}
