/** ListPartitionReassignments (key 46): there is one broker, so nothing is ever on its way to another. */
import { apis } from '../../protocol/index.ts'
import { defineHandler } from './define-handler.ts'

export const listPartitionReassignmentsHandler = defineHandler(
  apis.listPartitionReassignments,
  { versions: [0, 0] },
  () => ({ errorMessage: null, topics: [] }),
)
