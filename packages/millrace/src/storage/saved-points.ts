import { encodeRecoveryPoints, partitionKey, type RecoveryPoint } from './checkpoints.ts'
import type { DiskPartition } from './disk-partition.ts'
import { LatestSave } from './latest-save.ts'

/** The file `recovery-points`, which follows what the partitions say of themselves. */
export class SavedPoints {
  readonly #partitions: () => Iterable<DiskPartition>
  readonly #saves: LatestSave
  #last = ''

  constructor(partitions: () => Iterable<DiskPartition>, write: (bytes: Buffer) => Promise<void>) {
    this.#partitions = partitions
    this.#saves = new LatestSave(async () => {
      const bytes = this.#encode()
      await write(bytes)
      this.#last = bytes.toString('latin1')
    })
  }

  /** Durable when it resolves: log starts must be before files go. */
  save(): Promise<void> {
    return this.#saves.save()
  }

  async saveIfMoved(): Promise<void> {
    if (this.#encode().toString('latin1') !== this.#last) await this.save()
  }

  #encode(): Buffer {
    const points = new Map<string, RecoveryPoint>()
    for (const partition of this.#partitions())
      points.set(partitionKey(partition.topicId, partition.index), partition)
    return encodeRecoveryPoints(points)
  }
}
