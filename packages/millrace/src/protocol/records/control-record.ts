import { RecordCursor } from './record-cursor.ts'

export interface ControlType {
  /** `other`: leader changes, snapshots and what is still to come; readers skip them. */
  readonly type: 'abort' | 'commit' | 'other'
  /** -1 for `other`. */
  readonly coordinatorEpoch: number
}

/**
 * What a control batch says (KIP-98). Key: version i16, type i16 (0 abort, 1 commit); value: version i16,
 * coordinator epoch i32.
 */
export function controlTypeOf(batch: Buffer): ControlType {
  const other: ControlType = { type: 'other', coordinatorEpoch: -1 }
  const cursor = new RecordCursor(batch)
  if (!cursor.advance()) return other
  const key = cursor.key()
  if (key === null || key.length < 4) return other
  const type = key.readInt16BE(2)
  if (type !== 0 && type !== 1) return other
  const value = cursor.value()
  return {
    type: type === 0 ? 'abort' : 'commit',
    coordinatorEpoch: value !== null && value.length >= 6 ? value.readInt32BE(2) : -1,
  }
}
