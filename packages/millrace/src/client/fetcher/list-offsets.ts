import { backoffMs, sleep } from '../../kit/index.ts'
import { apis, type ResponseOf } from '../../protocol/index.ts'
import type { ClientCore } from '../client-core.ts'
import { isRetriable, kafkaFailure } from '../kafka-failure.ts'
import { requestBackoff } from '../retrying.ts'
import { cureOf } from './fetch-refusal.ts'
import type { SeekTarget } from './partition-feed.ts'

export interface OffsetQuestion {
  readonly topic: string
  readonly partition: number
  readonly to: Exclude<SeekTarget, number>
}

/** Kafka's marks for the ends of the log, in place of a time. */
const latestTimestamp = -1
const earliestTimestamp = -2

/**
 * Asks the leaders where to read from, once for each partition; answers are in the order of the
 * questions. A time after the last message is the end of the log. Repeats until every leader has answered: only the signal ends it.
 *
 * @throws what no repeat can mend: MR_KAFKA_ERROR (not authorized), or the signal's reason
 */
export async function listOffsets(
  core: ClientCore,
  questions: readonly OffsetQuestion[],
  isReadCommitted: boolean,
  signal: AbortSignal,
): Promise<readonly number[]> {
  const offsets: (number | undefined)[] = questions.map(() => undefined)
  for (let attempt = 1; ; attempt++) {
    const open = questions.map((_, index) => index).filter((index) => offsets[index] === undefined)
    if (open.length === 0) return offsets as number[]
    if (attempt > 1) await sleep(core.clock, backoffMs(requestBackoff, attempt - 1), signal)

    const byLeader = new Map<number, number[]>()
    const leaderless = new Set<string>()
    for (const index of open) {
      const { topic, partition } = questions[index]!
      const leader = core.metadata.leaderOf(topic, partition)
      if (leader === undefined) leaderless.add(topic)
      else byLeader.set(leader, [...(byLeader.get(leader) ?? []), index])
    }
    const stale = new Set<string>(leaderless)
    await Promise.all(
      Array.from(byLeader, async ([leader, indexes]) => {
        const asked = indexes.map((index) => questions[index]!)
        try {
          const answered = await askLeader(core, leader, asked, isReadCommitted, signal)
          for (const [at, result] of answered.entries()) {
            if (result === 'refresh') stale.add(asked[at]!.topic)
            else if (result !== 'retry') offsets[indexes[at]!] = result
          }
        } catch (error) {
          signal.throwIfAborted()
          if (!isRetriable(error)) throw error
          for (const { topic } of asked) stale.add(topic)
        }
      }),
    )
    signal.throwIfAborted()
    // Times beyond the last message come back as -1; the end of the log answers them.
    for (const index of open) {
      if (offsets[index] !== -1) continue
      const { topic, partition } = questions[index]!
      const [end] = await listOffsets(
        core,
        [{ topic, partition, to: 'latest' }],
        isReadCommitted,
        signal,
      )
      offsets[index] = end
    }
    if (stale.size > 0) await refresh(core, Array.from(stale), signal)
  }
}

async function askLeader(
  core: ClientCore,
  leader: number,
  questions: readonly OffsetQuestion[],
  isReadCommitted: boolean,
  signal: AbortSignal,
): Promise<readonly (number | 'refresh' | 'retry')[]> {
  const connection = await core.connections.connect(leader, 'data', { signal })
  const byTopic = Map.groupBy(questions, ({ topic }) => topic)
  const answer = await connection.request(
    apis.listOffsets,
    {
      replicaId: -1,
      isolationLevel: isReadCommitted ? 1 : 0,
      topics: Array.from(byTopic, ([name, list]) => ({
        name,
        partitions: list.map(({ partition, to }) => ({
          partitionIndex: partition,
          timestamp: timestampOf(to),
        })),
      })),
    },
    // v0 answers with a list of segment borders; nobody needs it here.
    { signal, minVersion: 1 },
  )
  const found = new Map<string, ListedPartition>()
  for (const { name, partitions } of answer.topics)
    for (const one of partitions) found.set(`${name}/${one.partitionIndex}`, one)
  return questions.map(({ topic, partition }) => {
    const one = found.get(`${topic}/${partition}`)
    if (!one) return 'retry'
    if (one.errorCode === 0) return one.offset
    const cure = cureOf(one.errorCode)
    if (cure === 'refresh' || cure === 'retry') return cure
    throw kafkaFailure(`offsets of ${topic}/${partition}`, one.errorCode)
  })
}

type ListedPartition = ResponseOf<typeof apis.listOffsets>['topics'][number]['partitions'][number]

function timestampOf(to: OffsetQuestion['to']): number {
  if (to === 'earliest') return earliestTimestamp
  return to === 'latest' ? latestTimestamp : to.timestampMs
}

/** A failed refresh is as good as a stale answer: the next round asks again. */
async function refresh(
  core: ClientCore,
  topics: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  try {
    await core.metadata.refresh(topics, { signal, reason: 'leaders have moved' })
  } catch (error) {
    signal.throwIfAborted()
    if (!isRetriable(error)) throw error
  }
}
