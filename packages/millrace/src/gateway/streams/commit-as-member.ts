/**
 * Offsets for a group that has members, in the name of one of them.
 *
 * Kafka takes offsets without a member only from a group that is empty, and from a member for any partition. A group that
 * begins to read a further topic while its consumers run needs that: nobody reads the topic for it yet.
 */
import { kafkaCodeOf, kafkaFailure } from '../../client/index.ts'
import { sleep } from '../../kit/index.ts'
import { apis, errorCodes } from '../../protocol/index.ts'
import type { StreamConsumer } from './stream-consumer.ts'
import type { StreamsCore } from './streams-core.ts'

const tries = 20
const againMs = 250

/** A rebalance changes the generation, so these pass. */
const passing: ReadonlySet<number | undefined> = new Set([
  errorCodes.ILLEGAL_GENERATION,
  errorCodes.REBALANCE_IN_PROGRESS,
  errorCodes.UNKNOWN_MEMBER_ID,
])

/** @throws MR_KAFKA_ERROR, MR_CLIENT_TIMEOUT, MR_REQUEST_TIMEOUT */
export async function commitAsMember(
  { client, clock }: StreamsCore,
  groupId: string,
  consumer: StreamConsumer,
  topic: string,
  positions: readonly { readonly partition: number; readonly offset: number }[],
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const { memberId, generation } = consumer.membership ?? { memberId: '', generation: -1 }
    const node = await client.metadata.coordinatorOf(groupId)
    const connection = await client.connections.connect(node, 'data')
    const answer = await connection.request(apis.offsetCommit, {
      groupId,
      generationIdOrMemberEpoch: generation,
      memberId,
      topics: [
        {
          name: topic,
          partitions: positions.map(({ partition, offset }) => ({
            partitionIndex: partition,
            committedOffset: offset,
            committedMetadata: '',
          })),
        },
      ],
    })
    const code = answer.topics
      .flatMap(({ partitions }) => partitions)
      .find(({ errorCode }) => errorCode !== 0)?.errorCode
    if (code === undefined) return
    const error = kafkaFailure(`set offsets of group ${groupId} in ${topic}`, code)
    if (!passing.has(kafkaCodeOf(error)) || attempt === tries) throw error
    await sleep(clock, againMs)
  }
}
