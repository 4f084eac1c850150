import type { FramesSeen } from './frames-seen.ts'
import { headerNames } from './record.ts'

/** A message as found in a topic of the drain: only its headers matter here. */
export interface PastMessage {
  readonly headers: readonly (readonly [name: string, value: Buffer | null])[]
}

interface Past {
  readonly source: string
  readonly id: string
  readonly index: number
  readonly count: number
  readonly receivedUs: number
}

/**
 * Rebuilds the index of seen frames from the messages themselves: each carries its frame's id, its index and how
 * many there are, so a frame that a crash left half written is known as such. Age counts from now: how long the
 * drain was down says nothing about whether the last frames were answered.
 *
 * @returns how many messages took part
 */
export async function rebuildSeen(
  seen: FramesSeen,
  history: AsyncIterable<PastMessage>,
  nowMs: number,
): Promise<number> {
  const past: Past[] = []
  for await (const message of history) {
    const found = readPast(message)
    if (found) past.push(found)
  }
  // Partitions come one after another; the order of arrival decides which frames are forgotten first.
  past.sort((left, right) => left.receivedUs - right.receivedUs)
  for (const { source, id, index, count } of past) seen.remember(source, id, index, count, nowMs)
  return past.length
}

function readPast(message: PastMessage): Past | undefined {
  let id: string | undefined
  let source: string | undefined
  let index = Number.NaN
  let count = Number.NaN
  let receivedUs = Number.NaN
  for (const [name, value] of message.headers) {
    if (value === null) continue
    if (name === headerNames.frameId) id = value.toString()
    else if (name === headerNames.source) source = value.toString()
    else if (name === headerNames.frameIndex) index = Number(value.toString())
    else if (name === headerNames.frameCount) count = Number(value.toString())
    else if (name === headerNames.receivedUs) receivedUs = Number(value.toString())
  }
  if (id === undefined || source === undefined) return undefined
  if (Number.isNaN(index) || Number.isNaN(count) || Number.isNaN(receivedUs)) return undefined
  return { source, id, index, count, receivedUs }
}
