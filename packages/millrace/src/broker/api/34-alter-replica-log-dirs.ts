/**
 * AlterReplicaLogDirs (key 34): there is one folder. Moving a partition to where it is succeeds and changes
 * nothing; another folder is 57, an unknown partition 3.
 */
import { apis, errorCodes } from '../../protocol/index.ts'
import { defineHandler } from './define-handler.ts'

export const alterReplicaLogDirsHandler = defineHandler(
  apis.alterReplicaLogDirs,
  { versions: [1, 2] },
  ({ dirs }, { broker }) => ({
    results: dirs.flatMap(({ path, topics }) =>
      topics.map(({ name, partitions }) => {
        const count = broker.topics.named(name)?.partitions ?? 0
        return {
          topicName: name,
          partitions: partitions.map((partitionIndex) => ({
            partitionIndex,
            errorCode:
              path !== broker.store.folder
                ? errorCodes.LOG_DIR_NOT_FOUND
                : partitionIndex >= 0 && partitionIndex < count
                  ? errorCodes.NONE
                  : errorCodes.UNKNOWN_TOPIC_OR_PARTITION,
          })),
        }
      }),
    ),
  }),
)
