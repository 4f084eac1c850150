/**
 * What a partition's folder holds, after whatever has happened to it.
 *
 * - A clean stop: sizes are believed, nothing is read.
 * - Otherwise every batch from the recovery point on is checked, and the log ends before the first bad byte;
 *   what follows is cut off and reported. Indexes are rebuilt, and so is the producer state.
 * - Names that a crash left in the middle are finished: `.deleted` and `.cleaned` go, `.swap` is completed.
 */
import { checkFile, lastOffsetOf } from './batch-walk.ts'
import { writeFile, type FileSystem } from './file-system.ts'
import { loadProducers } from './producer-files.ts'
import type { Repair } from './log-types.ts'
import type { PartitionHome } from './partition-home.ts'
import { encodeProducers } from './producer-snapshot.ts'
import type { ProducerState } from './producer-state.ts'
import { Segment, segmentName } from './segment.ts'

/** How a partition looked when the store was closed in order. */
export interface CleanPartition {
  /** Base offset of the active segment, its size and greatest timestamp. */
  readonly base: number
  readonly size: number
  readonly maxTimestamp: number
  readonly end: number
  readonly start: number
}

export interface FoundPartition {
  readonly segments: Segment[]
  readonly logStartOffset: number
  readonly recoveryPoint: number
  readonly producers: ProducerState | undefined
  readonly repair: Repair | undefined
  /** Not known to be on the disk: it was checked, so it may come from the page cache alone. */
  readonly needsSync: boolean
  /** The newest snapshot of the producers, found or written here. */
  readonly snapshot?: string | undefined
}

export interface PartitionPlace {
  readonly topic: string
  readonly index: number
  readonly folder: string
  readonly recoveryPoint: number
  readonly logStartOffset: number
  readonly clean: CleanPartition | undefined
}

export async function openPartition(
  home: PartitionHome,
  place: PartitionPlace,
): Promise<FoundPartition> {
  const { fs } = home
  const { folder } = place
  if (!home.isReadOnly) fs.makeFolder(folder)
  const names = home.isReadOnly && !exists(fs, folder) ? [] : fs.list(folder)
  const bases = home.isReadOnly ? logBases(names) : logBases(finishRenames(home, folder, names))
  if (bases.length === 0) return emptyPartition(home, place)
  return openClean(home, place, bases) ?? (await recover(home, place, bases))
}

/** A folder for a partition that never was: its first segment and the epoch checkpoint that Kafka's tools look for. */
export function makePartition(home: PartitionHome, folder: string, baseOffset: number): Segment {
  home.fs.makeFolder(folder)
  writeFile(home.fs, `${folder}/leader-epoch-checkpoint`, Buffer.from('0\n1\n0 0\n'))
  writeFile(home.fs, `${folder}/${segmentName(baseOffset, '.log')}`, Buffer.alloc(0))
  return Segment.empty(home, folder, baseOffset)
}

function emptyPartition(home: PartitionHome, place: PartitionPlace): FoundPartition {
  const start = place.logStartOffset
  return {
    segments: [
      home.isReadOnly
        ? Segment.empty(home, place.folder, start)
        : makePartition(home, place.folder, start),
    ],
    logStartOffset: start,
    recoveryPoint: start,
    producers: undefined,
    repair: undefined,
    needsSync: false,
  }
}

function openClean(
  home: PartitionHome,
  { folder, clean, logStartOffset, recoveryPoint }: PartitionPlace,
  bases: readonly number[],
): FoundPartition | undefined {
  if (!clean || clean.base !== bases.at(-1)) return undefined
  const segments: Segment[] = []
  for (const [at, base] of bases.entries()) {
    const size = home.fs.size(`${folder}/${segmentName(base, '.log')}`) ?? 0
    const next = bases[at + 1]
    if (next === undefined && size !== clean.size) return undefined
    segments.push(
      Segment.trusted(home, folder, base, {
        size,
        nextOffset: next ?? clean.end,
        maxTimestamp: next === undefined ? clean.maxTimestamp : undefined,
      }),
    )
  }
  return {
    segments,
    logStartOffset: Math.max(logStartOffset, clean.start, bases[0] ?? 0),
    recoveryPoint: Math.max(recoveryPoint, clean.base),
    producers: undefined,
    repair: undefined,
    needsSync: false,
  }
}

async function recover(
  home: PartitionHome,
  place: PartitionPlace,
  bases: readonly number[],
): Promise<FoundPartition> {
  const { folder } = place
  const first = Math.max(
    0,
    bases.findLastIndex((base) => base <= place.recoveryPoint),
  )
  const segments: Segment[] = []
  for (const [at, base] of bases.entries()) {
    if (at >= first) break
    const size = home.fs.size(`${folder}/${segmentName(base, '.log')}`) ?? 0
    segments.push(Segment.trusted(home, folder, base, { size, nextOffset: bases[at + 1] ?? base }))
  }

  let cut: { readonly cause: string; readonly bytes: number } | undefined
  let lost = 0
  for (let at = first; at < bases.length; at++) {
    const base = bases[at] ?? 0
    const path = `${folder}/${segmentName(base, '.log')}`
    const expected = segments.at(-1)?.nextOffset ?? base
    if (cut || base !== expected) {
      // Never believed: it stands behind the first bad byte, overlaps what is good, or leaves a hole where a
      // power failure took the end of the segment before.
      cut ??= {
        cause:
          base < expected
            ? 'a segment overlaps the one before it'
            : 'the end of a segment is missing',
        bytes: 0,
      }
      lost += home.fs.size(path) ?? 0
      if (!home.isReadOnly) removeSegment(home.fs, folder, base)
      continue
    }
    const segment = Segment.empty(home, folder, base)
    cut = await check(home, segment, path)
    lost += cut?.bytes ?? 0
    segments.push(segment)
  }

  let active = segments.at(-1) as Segment
  const { state: producers, snapshotOffset } = loadProducers(
    home.fs,
    folder,
    segments,
    active.nextOffset,
    home.clock.now(),
  )
  if (active.nextOffset < place.logStartOffset) {
    // The log start never moves back: what is gone was deleted or lost, and the log goes on where it may.
    for (const { baseOffset } of segments)
      if (!home.isReadOnly) removeSegment(home.fs, folder, baseOffset)
    active = home.isReadOnly
      ? Segment.empty(home, folder, place.logStartOffset)
      : makePartition(home, folder, place.logStartOffset)
    segments.splice(0, segments.length, active)
  }
  for (const segment of segments.slice(first)) {
    if (segment === active || home.isReadOnly) continue
    segment.writeIndexes()
    segment.isSealed = true
  }
  const end = active.nextOffset
  let snapshot: string | undefined
  if (!home.isReadOnly) {
    dropSnapshotsBeyond(home.fs, folder, end)
    // Segments may go by retention only when a snapshot remembers who wrote them: there is one from here on, and
    // it gets synced, for the one that was found may stand in the page cache alone.
    const isThere = snapshotOffset >= active.baseOffset && snapshotOffset > 0
    snapshot = `${folder}/${segmentName(isThere ? snapshotOffset : end, '.producers')}`
    if (!isThere && end > 0) writeFile(home.fs, snapshot, encodeProducers(producers))
  }
  return {
    segments,
    logStartOffset: Math.max(place.logStartOffset, segments[0]?.baseOffset ?? 0),
    recoveryPoint: Math.min(place.recoveryPoint, active.baseOffset),
    producers,
    snapshot,
    repair: cut && {
      topic: place.topic,
      partition: place.index,
      bytes: lost,
      offset: end,
      cause: cut.cause,
    },
    needsSync: true,
  }
}

/** Reads a segment into its indexes; cuts its file at the first bad byte. */
async function check(
  home: PartitionHome,
  segment: Segment,
  path: string,
): Promise<{ readonly cause: string; readonly bytes: number } | undefined> {
  const file = home.fs.open(path, home.isReadOnly ? 'read' : 'change')
  try {
    const { size, fault } = await checkFile(file, segment.baseOffset, (batch) =>
      segment.note(lastOffsetOf(batch.header), batch.size, batch.header.maxTimestamp),
    )
    if (fault === undefined) return undefined
    const bytes = file.size() - size
    if (!home.isReadOnly) file.truncate(size)
    return { cause: fault, bytes }
  } finally {
    file.close()
  }
}

function logBases(names: readonly string[]): number[] {
  return names
    .filter((name) => /^\d{20}\.log$/.test(name))
    .map((name) => Number.parseInt(name, 10))
    .toSorted((a, b) => a - b)
}

function removeSegment(fs: FileSystem, folder: string, base: number): void {
  for (const suffix of ['.log', '.index', '.timeindex', '.txnindex', '.producers'])
    fs.remove(`${folder}/${segmentName(base, suffix)}`)
}

function dropSnapshotsBeyond(fs: FileSystem, folder: string, end: number): void {
  for (const name of fs.list(folder)) {
    if (/^\d{20}\.producers$/.test(name) && Number.parseInt(name, 10) > end)
      fs.remove(`${folder}/${name}`)
  }
}

function finishRenames(home: PartitionHome, folder: string, names: readonly string[]): string[] {
  const left: string[] = []
  for (const name of names) {
    const path = `${folder}/${name}`
    if (name.endsWith('.deleted') || name.endsWith('.cleaned')) home.fs.remove(path)
    else if (name.endsWith('.swap')) {
      const done = name.slice(0, -'.swap'.length)
      home.fs.rename(path, `${folder}/${done}`)
      if (!left.includes(done)) left.push(done)
    } else if (!left.includes(name)) left.push(name)
  }
  return left
}

function exists(fs: FileSystem, folder: string): boolean {
  try {
    fs.list(folder)
    return true
  } catch {
    return false // only asked for a folder that may rightly be missing
  }
}
