import { formatDuration } from '../../../kit/index.ts'
import { events } from '../../../telemetry/index.ts'
import { classOf, reasonOf } from '../../owner/describe.ts'
import { defineLine, milliseconds, plural, seconds, tell, type Line } from '../define-line.ts'

/** Lines of what an app may switch on: retry topics, filters, inbox, outbox, recurring jobs, schedules, redrives. */
export const featureLines: readonly Line[] = [
  defineLine(
    events.partitionStuck,
    'error',
    ({ consumer, topic, partition, offset, attempts, forMs }) => [
      `Stuck: ${consumer} has failed on ${topic}/${partition} at offset ${offset} for ${formatDuration(forMs)}, ${plural(attempts, 'attempt')}`,
      { offset },
    ],
  ),
  defineLine(events.retryTopicSent, 'warn', ({ topic, partition, offset, to, attempts, error }) => [
    `Moved ${topic}/${partition}:${offset} to ${to.topic}/${to.partition} after ${plural(attempts, 'attempt')}: ${classOf(error)}`,
    { offset },
  ]),
  defineLine(events.retryTopicFailed, 'error', ({ topic, partition, offset, nextInMs, error }) => [
    `Could not move ${topic}/${partition}:${offset} to its retry topic, next in ${seconds(nextInMs)} -- ${reasonOf(error)}`,
    { offset, err: error },
  ]),
  defineLine(events.deadletterRedriven, 'info', ({ messages, from, partition, job }) => [
    `Redriven ${plural(messages, 'message')} of ${from}/${partition} by ${job}`,
  ]),
  defineLine(events.consumerFiltered, 'debug', ({ topic, partition, offset, by }) => [
    `Filtered ${topic}/${partition}:${offset} by ${by}`,
    { offset },
  ]),
  defineLine(events.consumerDuplicate, 'development', ({ topic, partition, offset, id }) => [
    `Done before: ${topic}/${partition}:${offset} (${id})`,
    { offset },
  ]),
  defineLine(events.outboxRelayed, 'debug', ({ outbox, rows, durationMs }) => [
    `Relayed ${plural(rows, 'row')} of ${outbox} in ${milliseconds(durationMs)}`,
  ]),
  defineLine(events.outboxFailed, 'error', ({ outbox, id, topic, error }, memory) => [
    `Row ${id} of ${outbox} for ${topic} was refused for good -- ${tell(error, memory)}`,
    { err: error },
  ]),
  defineLine(events.recurringRan, 'info', ({ job, durationMs, reason }) => [
    `Ran ${job} in ${milliseconds(durationMs)} (${reason})`,
  ]),
  defineLine(events.recurringFailed, 'error', ({ job, error }, memory) => [
    `${job} failed: ${tell(error, memory)}`,
    { err: error },
  ]),
  defineLine(events.scheduleSent, 'development', ({ schedule, id, topic, lateMs }) => [
    `Sent ${id} of ${schedule} to ${topic}, ${milliseconds(lateMs)} late`,
  ]),
]
