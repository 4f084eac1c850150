import { DiskPartition } from './disk-partition.ts'
import { makePartition, type FoundPartition } from './open-partition.ts'
import type { PartitionHome } from './partition-home.ts'
import { isInternalTopic } from './topic-catalog.ts'
import { logConfigs, type LogDefaults } from './topic-configs.ts'
import type { StoredTopic } from './cluster-file.ts'

const newPartition = {
  logStartOffset: 0,
  recoveryPoint: 0,
  producers: undefined,
  repair: undefined,
  needsSync: false,
} as const

export interface PartitionMakerOptions {
  readonly folder: string
  readonly home: PartitionHome
  readonly defaults: LogDefaults
  readonly makeId: () => string
  /** A folder was in the way, and has this name now. */
  readonly onStray: (path: string) => void
}

/** Logs out of folders, found or new. */
export class PartitionMaker {
  readonly #options: PartitionMakerOptions

  constructor(options: PartitionMakerOptions) {
    this.#options = options
  }

  folderOf(topic: { readonly name: string }, index: number): string {
    return `${this.#options.folder}/${topic.name}-${index}`
  }

  of(topic: StoredTopic, index: number, found: FoundPartition): DiskPartition {
    const { home, defaults } = this.#options
    return new DiskPartition(home, {
      topic: topic.name,
      index,
      topicId: topic.id,
      folder: this.folderOf(topic, index),
      isInternal: isInternalTopic(topic.name),
      configs: logConfigs(topic.configs, defaults),
      logStartOffset: found.logStartOffset,
      recoveryPoint: found.recoveryPoint,
      segments: found.segments,
      producers: found.producers,
    })
  }

  /** Folders and logs for the partitions from `from` on: all of them, or none. */
  make(topic: StoredTopic, from: number): DiskPartition[] {
    const made: DiskPartition[] = []
    try {
      for (let index = from; index < topic.partitions; index++) {
        const folder = this.folderOf(topic, index)
        this.#moveStrayAside(folder)
        const segments = [makePartition(this.#options.home, folder, 0)]
        made.push(this.of(topic, index, { ...newPartition, segments }))
      }
      return made
    } catch (error) {
      this.unmake(made)
      throw error
    }
  }

  unmake(made: readonly DiskPartition[]): void {
    for (const { folder } of made) this.#options.home.fs.remove(folder)
  }

  /** A folder of this name that no topic owns may hold somebody's data. */
  #moveStrayAside(folder: string): void {
    const { fs } = this.#options.home
    if (fs.size(`${folder}/leader-epoch-checkpoint`) === undefined) return
    const aside = `${folder}.${this.#options.makeId()}.stray`
    fs.rename(folder, aside)
    this.#options.onStray(aside)
  }
}
