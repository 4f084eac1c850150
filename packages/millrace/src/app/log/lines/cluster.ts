import { events } from '../../../telemetry/index.ts'
import {
  defineLine,
  milliseconds,
  partitions,
  plural,
  positions,
  seconds,
  tell,
  type Line,
} from '../define-line.ts'

/** Lines about the traffic with brokers: membership, fetches, commits, deliveries. */
export const clusterLines: readonly Line[] = [
  defineLine(events.groupAssigned, 'info', ({ memberId, generation, added, kept }) => [
    `Joined as ${memberId}, generation ${generation}, assigned ${partitions([...kept, ...added])}`,
  ]),
  defineLine(events.groupLost, 'warn', ({ partitions: lost, cause }) => [
    `Lost ${partitions(lost)}: ${cause}`,
  ]),
  defineLine(events.groupFailed, 'error', ({ error }, memory) => [
    `Left the group for good -- ${tell(error, memory)}`,
    { err: error },
  ]),
  defineLine(events.heartbeat, 'debug', ({ generation }) => [
    `Heartbeat, generation ${generation}`,
  ]),
  defineLine(events.fetchReceived, 'debug', ({ messages, broker, latencyMs }) => [
    `Fetched ${messages === 0 ? 'none' : plural(messages, 'message')} from ${broker} in ${milliseconds(latencyMs)}`,
  ]),
  defineLine(events.offsetsCommitted, 'info', (commit, { commits }) => {
    const { moved } = commits.split(commit)
    return moved.length === 0 ? undefined : [`Committed ${positions(moved)}`]
  }),
  defineLine(events.offsetsCommitted, 'debug', (commit, { commits }) => {
    const { stood } = commits.split(commit)
    return stood.length === 0 ? undefined : [`Committed again ${positions(stood)}`]
  }),
  defineLine(events.offsetsCommitFailed, 'warn', ({ offsets, errorCode, willRetry }) => {
    const then = willRetry ? 'trying again' : 'the partition is another member’s now'
    return [`Could not commit ${positions(offsets)} (${errorCode}), ${then}`]
  }),
  defineLine(events.offsetsLost, 'error', ({ topic, partition, offset, newOffset, count }) => [
    `Lost ${plural(count, 'message')} of ${topic}/${partition}: ${offset} is gone, going on at ${newOffset}`,
  ]),
  defineLine(
    events.producerAppended,
    'development',
    ({ topic, partition, offset, count, broker, node }) => [
      `Appended ${plural(count, 'message')} to ${topic}/${partition}:${offset} on ${broker} (node ${node})`,
    ],
  ),
  defineLine(events.producerRetried, 'warn', ({ topic, attempt, reason }) => [
    `Delivery to ${topic} failed, attempt ${attempt}: ${reason}`,
  ]),
  defineLine(events.producerFailed, 'error', ({ topic, count, error }, memory) => [
    `Gave up ${plural(count, 'message')} for ${topic}: ${tell(error, memory)}`,
  ]),
  defineLine(events.clusterUnreachable, 'error', ({ cluster, reason }) => [
    `Cluster ${cluster} unreachable: ${reason}`,
  ]),
  defineLine(events.clusterReachable, 'info', ({ cluster, unreachableMs }) => [
    `Cluster ${cluster} reachable again after ${seconds(unreachableMs)}`,
  ]),
]
