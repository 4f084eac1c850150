import { formatDuration } from '../../kit/index.ts'
import { events, type TelemetryEvent } from '../../telemetry/index.ts'
import { classOf, reasonOf } from '../owner/describe.ts'
import type { Logger } from '../ports.ts'
import { Prefixes } from './prefixes.ts'

export interface LogRules {
  readonly groupIds: ReadonlySet<string>
  readonly clientId: string
  /** In development messages are told one by one at info. */
  readonly isDevelopment: boolean
  readonly level: string
}

type Level = 'debug' | 'info' | 'warn' | 'error'

const weights: Readonly<Record<string, number>> = {
  debug: 20,
  info: 30,
  warn: 40,
  error: 50,
  silent: 99,
}

/**
 * Writes log lines from events: the only place where Millrace logs. A line below the level is not subscribed to, so
 * it costs nothing. Returns what ends the subscriptions.
 */
export function installLog(logger: Logger, rules: LogRules): () => void {
  const ends: (() => void)[] = []
  const prefixes = new Prefixes()
  const least = weights[rules.level] ?? 30
  const inDevelopment: Level = rules.isDevelopment ? 'info' : 'debug'

  /** Subscribes when the level is written; `line` gives the text, and fields beside it. */
  const on = <P extends object>(
    event: TelemetryEvent<P>,
    level: Level,
    line: (payload: P) => readonly [text: string, fields?: object] | undefined,
  ): void => {
    if ((weights[level] ?? 0) < least) return
    ends.push(
      event.subscribe((payload) => {
        if (!isOurs(payload, rules)) return
        const written = line(payload)
        if (written === undefined) return
        const [text, fields = {}] = written
        const prefix = prefixes.of(payload)
        logger[level]({ ...prefix.fields, ...fields }, `${prefix.text}${text}`)
      }),
    )
  }
  ends.push(prefixes.follow())

  on(events.workerRunning, 'info', ({ pid, groups, topics, brokers }) => [
    `Worker ${pid} running: groups ${list(groups)}; topics ${list(topics)}; brokers ${list(brokers)}`,
  ])
  on(events.processSignal, 'info', ({ signal, action }) => [`Received ${signal}, ${action}`])
  on(events.workerStopped, 'info', ({ pid, durationMs, exitCode }) => [
    `Worker ${pid} stopped after ${Math.round(durationMs)} ms`,
    { exitCode },
  ])
  on(events.workerForced, 'error', ({ running }) => [
    `Forced stop; still running: ${list(running)}`,
  ])
  on(events.loopDelay, 'warn', ({ delayMs, jobs }) => [
    `The event loop was blocked for ${Math.round(delayMs)} ms; running: ${list(jobs)}`,
  ])
  on(events.topicsCreated, 'info', ({ topics }) => [`Created topics ${list(topics)}`])

  on(events.groupAssigned, 'info', ({ memberId, generation, added, kept }) => [
    `Joined as ${memberId}, generation ${generation}, assigned ${partitions([...kept, ...added])}`,
  ])
  on(events.groupLost, 'warn', ({ partitions: lost, cause }) => [
    `Lost ${partitions(lost)}: ${cause}`,
  ])
  on(events.groupFailed, 'error', ({ error }) => [
    `Left the group for good -- ${reasonOf(error)}`,
    { err: error },
  ])
  on(events.heartbeat, 'debug', ({ generation }) => [`Heartbeat, generation ${generation}`])
  on(events.fetchReceived, 'debug', ({ partitions: count, bytes, node, latencyMs }) => [
    `Fetched ${bytes} bytes of ${count} partitions from node ${node} in ${Math.round(latencyMs)} ms`,
  ])
  on(events.messageDecoded, 'debug', ({ topic, partition, offset, durationMs }) => [
    `Decoded ${topic}/${partition}:${offset} in ${Math.round(durationMs)} ms`,
  ])

  on(
    events.jobFinished,
    'info',
    ({ consumer, topic, partition, offset, messages, durationMs, result }) =>
      result === 'done'
        ? [
            `${consumer} processed ${plural(messages, 'message')} of ${topic}/${partition}:${offset} in ${Math.round(durationMs)} ms`,
          ]
        : undefined,
  )
  on(events.jobSlow, 'warn', ({ consumer, topic, partition, offset, durationMs }) => [
    `${consumer} has been at ${topic}/${partition}:${offset} for ${formatDuration(durationMs)}`,
  ])
  on(events.jobStuck, 'error', ({ consumer, topic, partition, offset }) => [
    `${consumer} goes on at ${topic}/${partition}:${offset} although it was told to end; left behind`,
  ])
  on(events.offsetsMarked, inDevelopment, ({ topic, partition, offset }) => [
    `Marked ${topic}/${partition}:${offset}`,
  ])
  const committed = new Map<string, number>()
  on(events.offsetsCommitted, 'info', ({ groupId, offsets }) => {
    const moved = offsets.filter(({ topic, partition, offset }) => {
      const key = `${groupId} ${topic}/${partition}`
      const isMoved = committed.get(key) !== offset
      committed.set(key, offset)
      return isMoved
    })
    const texts = moved.map(({ topic, partition, offset }) => `${topic}/${partition}:${offset}`)
    return moved.length === 0 ? undefined : [`Committed ${list(texts)}`]
  })
  on(events.offsetsCommitFailed, 'warn', ({ offsets, errorCode, willRetry }) => {
    const texts = offsets.map(({ topic, partition, offset }) => `${topic}/${partition}:${offset}`)
    const then = willRetry ? 'trying again' : 'the partition is another member’s now'
    return [`Could not commit ${list(texts)} (${errorCode}), ${then}`]
  })
  on(events.offsetsLost, 'error', ({ topic, partition, offset, newOffset, count }) => [
    `Lost ${count} messages of ${topic}/${partition}: ${offset} is gone, going on at ${newOffset}`,
  ])

  on(
    events.consumerFailed,
    'error',
    ({ consumer, topic, partition, offset, attempt, nextInMs, error }) => {
      const next = nextInMs === undefined ? '' : `, next in ${seconds(nextInMs)}`
      return [
        `${consumer} failed on ${topic}/${partition} at offset ${offset}, attempt ${attempt}${next} -- ${reasonOf(error)}`,
        { err: error, topic, partition, offset, attempt },
      ]
    },
  )
  on(events.consumerRetrying, 'info', ({ consumer, topic, partition, offset, attempt }) => [
    `Retrying ${consumer} on ${topic}/${partition} from offset ${offset}, attempt ${attempt}`,
  ])
  on(events.consumerSkipped, 'warn', ({ topic, partition, offset, reason }) => [
    `Skipped ${topic}/${partition}:${offset}: ${reason}`,
  ])
  on(events.partitionBlocked, 'error', ({ topic, partition, offset, code }) => [
    `Blocked ${topic}/${partition} at offset ${offset}: ${code}`,
  ])
  on(events.partitionPaused, 'info', ({ topic, partition, reason, forMs }) => [
    `Paused ${topic}/${partition}${forMs === undefined ? '' : ` for ${formatDuration(forMs)}`}: ${reason}`,
  ])
  on(events.partitionResumed, 'info', ({ topic, partition }) => [`Resumed ${topic}/${partition}`])
  on(events.deadLetterSent, 'warn', ({ topic, partition, offset, to, attempts, error }) => [
    `Sent ${topic}/${partition}:${offset} to ${to.topic}/${to.partition} after ${plural(attempts, 'attempt')}: ${classOf(error)}`,
  ])
  on(events.deadLetterFailed, 'error', ({ topic, partition, offset, nextInMs, error }) => [
    `Could not write the dead letter of ${topic}/${partition}:${offset}, next in ${seconds(nextInMs)} -- ${reasonOf(error)}`,
  ])
  on(events.deadLetterStorm, 'error', ({ topic, partition, letters, pauseMs }) => [
    `${letters} dead letters from ${topic}/${partition} in a short time; paused for ${formatDuration(pauseMs)}`,
  ])
  on(events.error, 'error', ({ type, error }) =>
    // Failures of consumers, and what the broker refuses, have lines of their own.
    type === 'consumer' || type === 'deadletter'
      ? undefined
      : [`${type}: ${reasonOf(error)}`, { err: error }],
  )

  on(events.responded, 'info', ({ responder, consumer, topics }) => [
    `Responded from ${consumer ?? responder}: ${list(Object.entries(topics).map(([topic, count]) => `${count} to ${topic}`))}`,
  ])
  on(events.responded, 'debug', ({ responder, data }) => [`${responder} was given`, { data }])
  on(
    events.producerAppended,
    inDevelopment,
    ({ topic, partition, offset, count, broker, node }) => [
      `Appended ${plural(count, 'message')} to ${topic}/${partition}:${offset} on ${broker} (node ${node})`,
    ],
  )
  on(events.producerRetried, 'warn', ({ topic, attempt, reason }) => [
    `Delivery to ${topic} failed, attempt ${attempt}: ${reason}`,
  ])
  on(events.producerFailed, 'error', ({ topic, count, error }) => [
    `Gave up ${plural(count, 'message')} for ${topic}: ${reasonOf(error)}`,
  ])
  on(events.clusterUnreachable, 'error', ({ addresses, reason }) => [
    `Cluster ${list(addresses)} unreachable: ${reason}`,
  ])
  on(events.clusterReachable, 'info', ({ broker, unreachableMs }) => [
    `Cluster ${broker} reachable again after ${seconds(unreachableMs)}`,
  ])
  return () => {
    for (const end of ends) end()
  }
}

/** Events of other workers in the process are not ours to tell. */
function isOurs(payload: object, { groupIds, clientId }: LogRules): boolean {
  if ('groupId' in payload) return groupIds.has(payload.groupId as string)
  if ('clientId' in payload) return payload.clientId === clientId
  return true
}

function list(texts: readonly string[]): string {
  return texts.length === 0 ? 'none' : texts.join(', ')
}

function partitions(
  all: readonly { readonly topic: string; readonly partition: number }[],
): string {
  return list(all.map(({ topic, partition }) => `${topic}/${partition}`).toSorted())
}

function plural(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}

function seconds(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${Number((ms / 1000).toFixed(1))} s`
}
