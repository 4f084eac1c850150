import type { BufferPool, Clock } from '../kit/index.ts'
import type { MillraceError } from '../errors/index.ts'
import type { DiskPartition } from './disk-partition.ts'
import type { SegmentHome } from './segment.ts'

/** What a partition needs of its store. */
export interface PartitionHome extends SegmentHome {
  readonly clock: Clock
  readonly pool: BufferPool
  readonly isReadOnly: boolean
  /** No writes but those of internal topics are let in. */
  isFull(): boolean
  /** Has batches to write at the end of this turn. */
  dirty(partition: DiskPartition): void
  /** Has bytes to sync in the background. */
  unsynced(partition: DiskPartition): void
  noSpace(path: string, bytes: number): void
  failed(partition: DiskPartition, error: MillraceError): void
}
