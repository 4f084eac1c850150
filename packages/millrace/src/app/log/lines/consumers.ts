import { isFailure } from '../../../errors/index.ts'
import { formatDuration } from '../../../kit/index.ts'
import { events } from '../../../telemetry/index.ts'
import { classOf, reasonOf } from '../../owner/describe.ts'
import { defineLine, list, milliseconds, plural, seconds, type Line } from '../define-line.ts'

/** Lines about messages and their handlers, and about what handlers send. */
export const consumerLines: readonly Line[] = [
  defineLine(events.messageDecoded, 'debug', ({ topic, partition, offset, durationMs }) => [
    `Decoded ${topic}/${partition}:${offset} in ${milliseconds(durationMs)}`,
  ]),
  defineLine(
    events.jobFinished,
    'info',
    ({ consumer, topic, partition, offset, messages, durationMs, result }) =>
      result === 'done'
        ? [
            `${consumer} processed ${plural(messages, 'message')} of ${topic}/${partition}:${offset} in ${milliseconds(durationMs)}`,
          ]
        : undefined,
  ),
  defineLine(events.jobSlow, 'warn', ({ consumer, topic, partition, offset, durationMs }) => [
    `${consumer} has been at ${topic}/${partition}:${offset} for ${formatDuration(durationMs)}`,
  ]),
  defineLine(events.jobStuck, 'error', ({ consumer, topic, partition, offset }) => [
    `${consumer} goes on at ${topic}/${partition}:${offset} although it was told to end; left behind`,
  ]),
  defineLine(events.offsetsMarked, 'development', ({ topic, partition, offset }) => [
    `Marked ${topic}/${partition}:${offset}`,
  ]),

  defineLine(
    events.consumerFailed,
    'error',
    ({ consumer, topic, partition, offset, attempt, nextInMs, error }) => {
      if (isAskedFor(error)) return undefined
      const next = nextInMs === undefined ? '' : `, next in ${seconds(nextInMs)}`
      return [
        `${consumer} failed on ${topic}/${partition} at offset ${offset}, attempt ${attempt}${next} -- ${reasonOf(error)}`,
        { err: error, offset, attempt },
      ]
    },
  ),
  // retry() is an answer of the handler, not a fault: the message comes again because it said so.
  defineLine(
    events.consumerFailed,
    'info',
    ({ consumer, topic, partition, offset, attempt, nextInMs, error }) => {
      if (!isFailure(error, 'MR_APP_RETRY_ASKED') || nextInMs === undefined) return undefined
      return [
        `${consumer} asked to see ${topic}/${partition} at offset ${offset} again, attempt ${attempt}, next in ${seconds(nextInMs)}`,
        { offset, attempt },
      ]
    },
  ),
  defineLine(events.consumerRetrying, 'info', ({ consumer, topic, partition, offset, attempt }) => [
    `Retrying ${consumer} on ${topic}/${partition} from offset ${offset}, attempt ${attempt}`,
    { offset, attempt },
  ]),
  defineLine(events.consumerSkipped, 'warn', ({ topic, partition, offset, reason }) => [
    `Skipped ${topic}/${partition}:${offset}: ${reason}`,
    { offset },
  ]),
  defineLine(events.partitionBlocked, 'error', ({ topic, partition, offset, code }) => [
    `Blocked ${topic}/${partition} at offset ${offset}: ${code}`,
    { offset, code },
  ]),
  defineLine(events.partitionPaused, 'info', ({ topic, partition, reason, forMs }) => [
    `Paused ${topic}/${partition}${forMs === undefined ? '' : ` for ${formatDuration(forMs)}`}: ${reason}`,
  ]),
  defineLine(events.partitionResumed, 'info', ({ topic, partition }) => [
    `Resumed ${topic}/${partition}`,
  ]),
  defineLine(events.deadletterSent, 'warn', ({ topic, partition, offset, to, attempts, error }) => [
    `Sent ${topic}/${partition}:${offset} to ${to.topic}/${to.partition} after ${plural(attempts, 'attempt')}: ${classOf(error)}`,
    { offset },
  ]),
  defineLine(events.deadletterFailed, 'error', ({ topic, partition, offset, nextInMs, error }) => [
    `Could not write the dead letter of ${topic}/${partition}:${offset}, next in ${seconds(nextInMs)} -- ${reasonOf(error)}`,
    { offset, err: error },
  ]),
  defineLine(events.deadletterStorm, 'error', ({ topic, partition, letters, pauseMs }) => [
    `${letters} dead letters from ${topic}/${partition} in a short time; paused for ${formatDuration(pauseMs)}`,
  ]),

  defineLine(events.responderResponded, 'info', ({ responder, consumer, topics }) => [
    `Responded from ${consumer ?? responder}: ${list(Object.entries(topics).map(([topic, count]) => `${count} to ${topic}`))}`,
  ]),
  defineLine(events.responderResponded, 'debug', ({ responder, data }) => [
    `${responder} was given`,
    { data },
  ]),
]

/** What a handler returned on purpose; a letter that it asked for has a line of its own when it is sent. */
function isAskedFor(error: unknown): boolean {
  return isFailure(error, 'MR_APP_RETRY_ASKED', 'MR_APP_DEAD_LETTER_ASKED')
}
