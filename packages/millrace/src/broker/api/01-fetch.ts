/**
 * Fetch (key 1).
 *
 * - Answers when `minBytes` are readable, `maxWaitMs` has passed, or one partition is in error.
 * - The batch that contains the offset comes whole, and the first one even above `maxBytes` (KIP-74).
 *   Partitions are read in the order asked for.
 * - read_committed: bytes past the last stable offset are neither sent nor counted (KIP-98).
 * - v7: sessions leave out what did not change (KIP-227). v9: leader epochs (KIP-320). v13: topics by id
 *   (KIP-516): an id that is gone answers 100, also while the fetch waits.
 * - Not done: follower fetch (KIP-392); there is one replica.
 */
import { apis, errorCodes, type ResponseInput } from '../../protocol/index.ts'
import { events } from '../../telemetry/index.ts'
import type { FetchContext } from '../fetching/fetch-sessions.ts'
import { FetchRead } from '../fetching/fetch-read.ts'
import { defineHandler, type Call } from './define-handler.ts'

type FetchResponse = ResponseInput<typeof apis.fetch>
type TopicRow = NonNullable<FetchResponse['responses']>[number]
type PartitionRow = NonNullable<TopicRow['partitions']>[number]

export const fetchHandler = defineHandler(
  apis.fetch,
  { versions: [4, 18] },
  async (request, call): Promise<FetchResponse> => {
    const { broker, version, peer } = call
    const usesIds = version >= 13
    const context = broker.sessions.begin(request, usesIds)
    if (typeof context === 'number') return { errorCode: context, responses: [] }

    const isCommitted = request.isolationLevel === 1
    const maxBytes = Math.min(request.maxBytes, broker.settings.fetchMaxBytes)
    const minBytes = Math.min(request.minBytes, maxBytes)
    const read = new FetchRead({
      wanted: context.wanted,
      source: broker.topics,
      usesIds,
      isCommitted,
      maxBytes,
      onReadFailure: (error) => events.brokerTaskFailed.publish({ task: 'fetch', error }),
    })
    await read.readAll()
    const deadlineMs = broker.clock.monotonicMs() + request.maxWaitMs
    while (read.bytes < minBytes && !read.hasError && !peer.signal.aborted) {
      const leftMs = deadlineMs - broker.clock.monotonicMs()
      if (leftMs <= 0) break
      await read.waitFor(minBytes, {
        after: (fire) => broker.clock.after(leftMs, fire),
        signal: peer.signal,
      })
      await read.readMoved()
    }
    return answerOf(context, read, isCommitted, call)
  },
)

function answerOf(
  context: FetchContext,
  read: FetchRead,
  isCommitted: boolean,
  { broker, version }: Call,
): FetchResponse {
  const { sessionId, isIncluded } = context.finish(read.rows)
  const responses: (TopicRow & { partitions: PartitionRow[] })[] = []
  for (const [index, { topic, topicId, partition }] of context.wanted.entries()) {
    const row = read.rows[index]
    if (row === undefined || !isIncluded(index)) continue
    let group = responses.at(-1)
    if (group === undefined || group.topic !== topic || group.topicId !== topicId) {
      group = { topic, topicId, partitions: [] }
      responses.push(group)
    }
    const hasFailed = row.errorCode !== errorCodes.NONE
    group.partitions.push({
      partitionIndex: partition,
      errorCode: row.errorCode,
      highWatermark: row.highWatermark,
      lastStableOffset: row.lastStableOffset,
      logStartOffset: row.logStartOffset,
      abortedTransactions: row.isMissing || (isCommitted && !hasFailed) ? [] : null,
      records: row.records,
      ...(row.diverging === undefined ? {} : { divergingEpoch: row.diverging }),
      ...(version >= 16 && row.errorCode === errorCodes.FENCED_LEADER_EPOCH
        ? // Who leads, to spare the client a look-up (KIP-951).
          { currentLeader: { leaderId: broker.store.nodeId, leaderEpoch: 0 } }
        : {}),
    })
  }
  return { sessionId, responses }
}
