/**
 * AlterPartitionReassignments (key 45): moving a partition to the broker where it is succeeds and changes
 * nothing; to any other place is 39. Ending a move is 85, since none is ever on its way; an unknown partition 3.
 */
import { apis, errorCodes } from '../../protocol/index.ts'
import { defineHandler, type Call } from './define-handler.ts'

export const alterPartitionReassignmentsHandler = defineHandler(
  apis.alterPartitionReassignments,
  { versions: [0, 1] },
  ({ allowReplicationFactorChange, topics }, { broker }) => ({
    errorMessage: null,
    allowReplicationFactorChange,
    responses: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex, replicas }) => {
        const [errorCode, errorMessage] = faultOf(name, partitionIndex, replicas, broker)
        return { partitionIndex, errorCode, errorMessage }
      }),
    })),
  }),
)

function faultOf(
  name: string,
  index: number,
  replicas: readonly number[] | null,
  broker: Call['broker'],
): readonly [code: number, message: string | null] {
  const count = broker.topics.named(name)?.partitions ?? 0
  if (index < 0 || index >= count)
    return [errorCodes.UNKNOWN_TOPIC_OR_PARTITION, `there is no partition ${name}/${index}`]
  if (replicas === null)
    return [errorCodes.NO_REASSIGNMENT_IN_PROGRESS, `${name}/${index} is not being moved`]
  const { nodeId } = broker.store
  if (replicas.length !== 1 || replicas[0] !== nodeId)
    return [errorCodes.INVALID_REPLICA_ASSIGNMENT, `every partition is on broker ${nodeId} alone`]
  return [errorCodes.NONE, null]
}
