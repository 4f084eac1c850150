import { MillraceError } from '../../errors/index.ts'
import { apis, errorCodes, kafkaErrorOf, type ResponseOf } from '../../protocol/index.ts'
import type { ClientCore } from '../client-core.ts'
import { kafkaFailure } from '../kafka-failure.ts'
import type { AdminOptions, Answer } from './ask-each.ts'
import { askLeaders } from './ask-leaders.ts'

export interface OffsetQuery {
  readonly topic: string
  readonly partition: number
  /** An end of the log, the message with the greatest timestamp, or the first at or after a time (epoch ms). */
  readonly at: 'earliest' | 'latest' | 'max-timestamp' | number
}

export interface ListedOffset {
  readonly topic: string
  readonly partition: number
  /** -1 when no message answers (a time after the last one), and on error. */
  readonly offset: number
  /** The message's; -1 for an end of the log. */
  readonly timestamp: number
  readonly leaderEpoch: number
  readonly error?: MillraceError
}

export interface ListOffsetsOptions extends AdminOptions {
  /** With read_committed the end is the last stable offset. Default read_uncommitted. */
  readonly isolation?: 'read_committed' | 'read_uncommitted'
}

/** Asks the leaders, one request each; one result a query, in order. */
export async function listOffsets(
  core: ClientCore,
  queries: readonly OffsetQuery[],
  options: ListOffsetsOptions,
): Promise<readonly ListedOffset[]> {
  const outcomes = await askLeaders<OffsetQuery, ListedOffset>(
    core,
    'list offsets',
    queries,
    options,
    (leader, part, signal) => askLeader(core, leader, part, options, signal),
  )
  return queries.map(({ topic, partition }, index) => {
    const { result, error } = outcomes[index]!
    return result ?? { topic, partition, offset: -1, timestamp: -1, leaderEpoch: -1, error }
  })
}

async function askLeader(
  { connections }: ClientCore,
  leader: number,
  queries: readonly OffsetQuery[],
  { isolation }: ListOffsetsOptions,
  signal: AbortSignal,
): Promise<readonly Answer<ListedOffset>[]> {
  const connection = await connections.connect(leader, 'data', { signal })
  // A topic's partition stands in a request once, so two questions about one go in two requests.
  const rounds = [...Map.groupBy(queries, repeatCounter()).values()]
  const found = new Map<OffsetQuery, Answer<ListedOffset>>()
  await Promise.all(
    rounds.map(async (round) => {
      const byTopic = Map.groupBy(round, ({ topic }) => topic)
      const answer = await connection.request(
        apis.listOffsets,
        {
          replicaId: -1,
          isolationLevel: isolation === 'read_committed' ? 1 : 0,
          topics: Array.from(byTopic, ([name, part]) => ({
            name,
            partitions: part.map(({ partition, at }) => ({
              partitionIndex: partition,
              timestamp: timestampOf(at),
            })),
          })),
        },
        // v0 answers with segment borders; the greatest timestamp came with v7 (KIP-734).
        { signal, minVersion: round.some(({ at }) => at === 'max-timestamp') ? 7 : 1 },
      )
      const rows = new Map<string, ListedRow>(
        answer.topics.flatMap(({ name, partitions }) =>
          partitions.map((row) => [`${name}/${row.partitionIndex}`, row] as const),
        ),
      )
      for (const query of round) {
        const place = `${query.topic}/${query.partition}`
        const row = rows.get(place)
        const code = row?.errorCode ?? errorCodes.UNKNOWN_SERVER_ERROR
        if (!row || code !== 0) found.set(query, refusalOf(place, code))
        else found.set(query, { result: { ...placeOf(query), ...pick(row) } })
      }
    }),
  )
  return queries.map((query) => found.get(query)!)
}

type ListedRow = ResponseOf<typeof apis.listOffsets>['topics'][number]['partitions'][number]

/** 0 for the first question about a partition, 1 for the second, ... */
function repeatCounter(): (query: OffsetQuery) => number {
  const seen = new Map<string, number>()
  return ({ topic, partition }) => {
    const place = `${topic}/${partition}`
    const count = seen.get(place) ?? 0
    seen.set(place, count + 1)
    return count
  }
}

function placeOf({ topic, partition }: OffsetQuery): { topic: string; partition: number } {
  return { topic, partition }
}

function pick(row: {
  readonly offset: number
  readonly timestamp: number
  readonly leaderEpoch: number
}): Pick<ListedOffset, 'offset' | 'timestamp' | 'leaderEpoch'> {
  return { offset: row.offset, timestamp: row.timestamp, leaderEpoch: row.leaderEpoch }
}

function refusalOf(place: string, code: number): { error: MillraceError; isPassing: boolean } {
  return {
    error: kafkaFailure(`offsets of ${place}`, code),
    isPassing: kafkaErrorOf(code).retriable,
  }
}

/** Kafka's marks in place of a time. */
function timestampOf(at: OffsetQuery['at']): number {
  if (typeof at === 'number') return at
  switch (at) {
    case 'latest':
      return -1
    case 'earliest':
      return -2
    case 'max-timestamp':
      return -3
  }
}
