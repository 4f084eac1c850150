import { failure, type MillraceError } from '../errors/index.ts'
import { errorCodes, placeBatch, stampLogAppendTime, type BatchHeader } from '../protocol/index.ts'
import { isNoSpace, isOutOfFiles, reasonOf, writeFile, writeFully } from './file-system.ts'
import type { AppendResult, PartitionLog, ReadOptions, TimedOffset } from './log-types.ts'
import type { PartitionHome } from './partition-home.ts'
import { loadProducers, saveProducers } from './producer-files.ts'
import { PartitionSync } from './partition-sync.ts'
import type { ProducerState } from './producer-state.ts'
import { LogReader } from './log-reader.ts'
import { fittingUntil, mustRoll } from './roll-policy.ts'
import { Segment } from './segment.ts'
import { findMaxTimestamp, findTime } from './time-look-up.ts'
import type { LogConfigs } from './topic-configs.ts'

/** A batch between append and the end of the turn. */
interface QueuedBatch {
  readonly bytes: Buffer
  readonly header: BatchHeader
  readonly baseOffset: number
  readonly lastOffset: number
  readonly maxTimestamp: number
}

export interface DiskPartitionOptions {
  readonly topic: string
  readonly index: number
  readonly topicId: string
  readonly folder: string
  readonly isInternal: boolean
  readonly configs: LogConfigs
  readonly logStartOffset: number
  readonly recoveryPoint: number
  /** Ascending, at least one; the last is active. */
  readonly segments: Segment[]
  /** Undefined: read when needed. */
  readonly producers: ProducerState | undefined
}

/** A new segment needs its index files and more: with less room there is no point in starting one. */
const mostFreeBytesToRoll = 1_048_576

const nothing = Buffer.alloc(0)
const refusedGone: AppendResult = {
  kind: 'refused',
  errorCode: errorCodes.UNKNOWN_TOPIC_OR_PARTITION,
}
const refusedFailed: AppendResult = { kind: 'refused', errorCode: errorCodes.KAFKA_STORAGE_ERROR }
const refusedBroken: AppendResult = { kind: 'refused', errorCode: errorCodes.CORRUPT_MESSAGE }

export class DiskPartition implements PartitionLog {
  readonly topic: string
  readonly index: number
  readonly topicId: string
  readonly leaderEpoch = 0
  readonly segments: Segment[]
  configs: LogConfigs

  readonly #home: PartitionHome
  readonly #isInternal: boolean
  readonly #reader: LogReader
  readonly #disk: PartitionSync
  readonly #listeners = new Set<() => void>()
  #folder: string
  #logStart: number
  #end: number
  #highWatermark: number
  #bytesWritten = 0
  #producers: ProducerState | undefined
  #queue: QueuedBatch[] = []
  #failure: MillraceError | undefined
  /** Written since it was opened, or repaired: the files beside the log are out of date. */
  #hasChanged = false
  #isDeleted = false
  #isClosed = false

  constructor(home: PartitionHome, options: DiskPartitionOptions) {
    this.#home = home
    this.topic = options.topic
    this.index = options.index
    this.topicId = options.topicId
    this.configs = options.configs
    this.segments = options.segments
    this.#folder = options.folder
    this.#isInternal = options.isInternal
    this.#logStart = options.logStartOffset
    this.#producers = options.producers
    this.#end = this.active.nextOffset
    this.#highWatermark = this.#end
    this.#reader = new LogReader(options.segments, home.pool)
    this.#disk = new PartitionSync({
      fs: home.fs,
      recoveryPoint: options.recoveryPoint,
      activeBase: () => this.active.baseOffset,
      folder: () => this.#folder,
      isOver: () => this.#failure !== undefined || this.#isDeleted,
      onFailure: (path, error) => this.#syncFailed(path, error),
      onPostponed: () => home.unsynced(this),
    })
    for (const segment of options.segments) segment.isSealed = segment !== this.active
  }

  get active(): Segment {
    return this.segments[this.segments.length - 1] as Segment
  }

  get logStartOffset(): number {
    return this.#logStart
  }

  get logEndOffset(): number {
    return this.#end
  }

  get highWatermark(): number {
    return this.#highWatermark
  }

  get lastStableOffset(): number {
    return this.#highWatermark
  }

  get sizeInBytes(): number {
    let size = 0
    for (const segment of this.segments) size += segment.size
    return size
  }

  get bytesWritten(): number {
    return this.#bytesWritten
  }

  get isDeleted(): boolean {
    return this.#isDeleted
  }

  /** What made it refuse writes. */
  get failure(): MillraceError | undefined {
    return this.#failure
  }

  get hasFailed(): boolean {
    return this.#failure !== undefined
  }

  /** Up to which offset a crash cannot have hurt. */
  get recoveryPoint(): number {
    return this.#disk.recoveryPoint
  }

  get unsyncedBytes(): number {
    return this.#disk.unsyncedBytes
  }

  get folder(): string {
    return this.#folder
  }

  /** As of the last write. Read from disk on first use. */
  get producers(): ProducerState {
    this.#producers ??= loadProducers(
      this.#home.fs,
      this.#folder,
      this.segments,
      this.#highWatermark,
      this.#home.clock.now(),
    ).state
    return this.#producers
  }

  append(batch: Buffer, header: BatchHeader): AppendResult {
    if (this.#isDeleted) return refusedGone
    if (this.#failure || this.#isClosed || this.#home.isReadOnly) return refusedFailed
    if (this.#home.isFull() && !this.#isInternal) return refusedFailed
    if (batch.length !== header.batchLength + 12 || header.lastOffsetDelta < 0) return refusedBroken

    const nowMs = this.#home.clock.now()
    const baseOffset = this.#end
    const hasSequence = header.producerId >= 0 && header.baseSequence >= 0
    const stamp = this.configs.hasLogAppendTime
    const maxTimestamp = stamp ? nowMs : header.maxTimestamp
    if (hasSequence) {
      const producers = this.#producersToJudge()
      if (producers === undefined) return refusedFailed
      const verdict = producers.judge(header)
      if (verdict.kind === 'refused') return verdict
      if (verdict.kind === 'duplicate')
        return {
          kind: 'duplicate',
          baseOffset: verdict.batch.baseOffset,
          timestampMs: verdict.batch.timestampMs,
        }
      producers.draft(header, baseOffset, maxTimestamp, nowMs)
    }
    placeBatch(batch, 0, baseOffset, this.leaderEpoch)
    if (stamp) stampLogAppendTime(batch, 0, nowMs)
    const lastOffset = baseOffset + header.lastOffsetDelta
    this.#queue.push({ bytes: batch, header, baseOffset, lastOffset, maxTimestamp })
    this.#end = lastOffset + 1
    if (this.#queue.length === 1) this.#home.dirty(this)
    return { kind: 'appended', baseOffset, logAppendTimeMs: stamp ? nowMs : -1 }
  }

  /** Writes what is queued, in one call per segment. What could not be written is as if never appended. */
  flush(): MillraceError | undefined {
    const queue = this.#queue
    if (queue.length === 0) return undefined
    this.#queue = []
    let done = 0
    try {
      while (done < queue.length) {
        const { configs } = this
        const batch = queue[done] as QueuedBatch
        if (mustRoll(this.active, batch, configs, this.#home.clock.now())) this.roll()
        const until = fittingUntil(this.active, queue, done, configs)
        this.#write(queue, done, until)
        done = until
      }
      return undefined
    } catch (error) {
      return this.#abandon(error, queue, done)
    } finally {
      this.#producers?.dropDrafts()
      this.#end = this.#highWatermark
    }
  }

  /** Tells the listeners; the store calls it when everything of the turn is down. */
  notify(): void {
    for (const listener of this.#listeners) listener()
  }

  onAdvance(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  read(offset: number, options: ReadOptions): Buffer | Promise<Buffer> {
    // Its paths may belong to a new topic of the same name by now.
    if (this.#isDeleted) return nothing
    const upTo = Math.min(options.upTo ?? this.#highWatermark, this.#highWatermark)
    return this.#reader.read(offset, upTo, options.maxBytes, options.minOneBatch)
  }

  async offsetForTime(timestampMs: number): Promise<TimedOffset | undefined> {
    if (this.#isDeleted) return undefined
    return findTime(this.segments, this.#logStart, this.#highWatermark, timestampMs)
  }

  async offsetOfMaxTimestamp(): Promise<TimedOffset | undefined> {
    if (this.#isDeleted) return undefined
    return findMaxTimestamp(this.segments, this.#logStart, this.#highWatermark)
  }

  /** Seals the active segment and begins a new one at the end of what is written. */
  roll(): void {
    const { fs } = this.#home
    const { active } = this
    const base = active.nextOffset
    const needed = Math.min(mostFreeBytesToRoll, this.configs.segmentBytes / 64)
    if (fs.freeBytes(this.#folder) < needed) {
      throw Object.assign(new Error('too little space left for a new segment'), { code: 'ENOSPC' })
    }
    const next = Segment.empty(this.#home, this.#folder, base)
    try {
      writeFile(fs, next.logPath, nothing)
      const snapshot = this.#writeProducers(base)
      active.seal()
      this.#disk.track(active)
      this.#disk.track(next)
      this.#disk.folderChanged(snapshot)
    } catch (error) {
      active.isSealed = false
      fs.remove(next.logPath)
      throw error
    }
    this.segments.push(next)
    this.#hasChanged = true
  }

  /** Data on the disk, in the thread pool. Never rejects: a failure fails the partition. */
  sync(): Promise<void> {
    return this.#disk.run()
  }

  /** The same for all that is written at the moment of the call, also when a sync is under way. */
  syncWritten(): Promise<void> {
    return this.#disk.runNow()
  }

  /** Found after a crash: what was checked came from the page cache and may not be on the disk. */
  markRecovered(snapshot: string | undefined): void {
    this.#hasChanged = true
    this.#disk.folderChanged(snapshot)
    for (const segment of this.segments)
      if (segment.nextOffset > this.recoveryPoint) this.#disk.track(segment)
    this.#home.unsynced(this)
  }

  expireProducers(idleSinceMs: number): void {
    this.#producers?.expire(idleSinceMs)
  }

  /** In memory; the store has to make it durable before files go. */
  moveLogStart(offset: number): void {
    this.#logStart = Math.max(this.#logStart, offset)
  }

  get hasDeadSegments(): boolean {
    const second = this.segments[1]
    return second !== undefined && second.baseOffset <= this.#logStart
  }

  /** Takes out the sealed segments that lie wholly below the log start, renamed so that nobody finds them. */
  removeDeadSegments(): readonly Segment[] {
    const dead: Segment[] = []
    if (this.#failure || this.#isDeleted) return dead
    while (this.hasDeadSegments) {
      const segment = this.segments.shift() as Segment
      segment.isRemoved = true
      this.#home.files.forget(segment.logPath)
      for (const suffix of ['.log', '.index', '.timeindex']) {
        const path = segment.path(suffix)
        if (this.#home.fs.size(path) !== undefined) this.#home.fs.rename(path, `${path}.deleted`)
      }
      this.#home.fs.remove(segment.path('.producers'))
      dead.push(segment)
    }
    return dead
  }

  /** Everything written is written already; the folder has a new name and nobody will find it. */
  markDeleted(newFolder: string): void {
    this.#isDeleted = true
    this.#folder = newFolder
    for (const segment of this.segments) this.#home.files.forget(segment.logPath)
    this.#disk.drop()
    this.notify()
  }

  /** Leaves the folder so that the next start may trust it. False when it must be checked instead. */
  async close(): Promise<boolean> {
    this.#isClosed = true
    if (this.#home.isReadOnly) return false
    this.flush()
    await this.#disk.idle()
    if (!this.#failure && this.#hasChanged) this.#writeBesideLog()
    await this.sync()
    return this.#failure === undefined && this.#disk.isSynced
  }

  #writeBesideLog(): void {
    try {
      this.active.writeIndexes()
      this.#writeProducers(this.#highWatermark)
    } catch (error) {
      const path = this.active.path('.index')
      this.#fail(
        failure('MR_STORAGE_WRITE_FAILED', { path, reason: reasonOf(error) }, { cause: error }),
      )
    }
  }

  #write(queue: readonly QueuedBatch[], from: number, until: number): void {
    const { active } = this
    const nowMs = this.#home.clock.now()
    const file = this.#disk.track(active)
    // Behind the write nothing may fail any more: the bytes would stand there, unknown to the segment.
    active.loadIndexes()
    const pieces: Buffer[] = []
    for (let at = from; at < until; at++) pieces.push((queue[at] as QueuedBatch).bytes)
    const start = active.size
    try {
      writeFully(file.file, pieces, start)
    } catch (error) {
      // Only whole batches may stand in a log. When even this fails, the partition fails with this error.
      file.file.truncate(start)
      throw error
    }
    if (start === 0) active.startedAtMs = nowMs
    for (let at = from; at < until; at++) {
      const batch = queue[at] as QueuedBatch
      active.note(batch.lastOffset, batch.bytes.length, batch.maxTimestamp)
      if (batch.header.producerId >= 0 && batch.header.baseSequence >= 0)
        this.producers.write(batch.header, batch.baseOffset, batch.maxTimestamp, nowMs)
    }
    this.#highWatermark = active.nextOffset
    this.#bytesWritten += active.size - start
    this.#disk.wrote(active.size - start)
    this.#hasChanged = true
    this.#home.unsynced(this)
  }

  #abandon(error: unknown, queue: readonly QueuedBatch[], from: number): MillraceError {
    const path = this.active.logPath
    let bytes = 0
    for (let at = from; at < queue.length; at++) bytes += (queue[at] as QueuedBatch).bytes.length
    if (isNoSpace(error)) {
      this.#home.noSpace(path, bytes)
      return failure('MR_STORAGE_DISK_FULL', { path, bytes }, { cause: error })
    }
    const notWritten = failure(
      'MR_STORAGE_WRITE_FAILED',
      { path, reason: reasonOf(error) },
      { cause: error },
    )
    // A file that could not be opened was not written either.
    return isOutOfFiles(error) ? notWritten : this.#fail(notWritten)
  }

  /** Undefined when they cannot be read: then nobody knows what is a repeat. */
  #producersToJudge(): ProducerState | undefined {
    try {
      return this.producers
    } catch (error) {
      const path = this.#folder
      if (!isOutOfFiles(error))
        this.#fail(
          failure('MR_STORAGE_READ_FAILED', { path, reason: reasonOf(error) }, { cause: error }),
        )
      return undefined
    }
  }

  #fail(error: MillraceError): MillraceError {
    if (!this.#failure) {
      this.#failure = error
      this.#home.failed(this, error)
    }
    return error
  }

  #syncFailed(path: string, error: unknown): void {
    if (this.#isDeleted) return
    this.#fail(
      failure('MR_STORAGE_SYNC_FAILED', { path, reason: reasonOf(error) }, { cause: error }),
    )
  }

  #writeProducers(offset: number): string {
    // Those of segment starts stay as long as their segment: recovery may begin there.
    const bases = new Set(this.segments.map((segment) => segment.baseOffset))
    return saveProducers(this.#home.fs, this.#folder, offset, this.producers, bases)
  }
}
