import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { checkHistory, type AnomalyKind, type FinalState, type HistoryEvent } from './history.ts'

const log = (...values: readonly string[]): FinalState['logs'] =>
  new Map([[0, values.map((value, offset) => ({ offset, value }))]])
const committed = (offset: number): FinalState['committed'] =>
  new Map([['g', new Map([[0, offset]])]])
const send = (value: string): HistoryEvent => ({ e: 'send', producer: 'p', partition: 0, value })
const sent = (value: string, offset: number): HistoryEvent => ({
  e: 'sent',
  value,
  partition: 0,
  offset,
})
const assigned = (tenure: string, from: number): HistoryEvent => ({
  e: 'assigned',
  tenure,
  partition: 0,
  from,
})
const poll = (tenure: string, offset: number, value: string): HistoryEvent => ({
  e: 'poll',
  tenure,
  partition: 0,
  offset,
  value,
})
const commit = (offset: number): HistoryEvent => ({
  e: 'committed',
  group: 'g',
  partition: 0,
  offset,
})

/** Sound: two sends, one of unknown outcome that landed, a reader, a commit, another reader that starts there. */
const sound: readonly HistoryEvent[] = [
  send('a'),
  send('b'),
  send('c'),
  sent('a', 0),
  sent('c', 2),
  assigned('g#1', 0),
  poll('g#1', 0, 'a'),
  poll('g#1', 1, 'b'),
  commit(2),
  assigned('g#2', 2),
  poll('g#2', 2, 'c'),
  commit(3),
]
const end: FinalState = { logs: log('a', 'b', 'c'), committed: committed(3) }

const planted: Readonly<
  Record<AnomalyKind, readonly [history: readonly HistoryEvent[], end: FinalState]>
> = {
  'inconsistent offset': [[...sound, poll('g#2', 2, 'x')], end],
  'lost write': [[...sound, send('d'), sent('d', 3)], end],
  duplicate: [sound, { ...end, logs: log('a', 'b', 'c', 'b') }],
  'phantom write': [[send('a'), { e: 'failed', value: 'a' }], { ...end, logs: log('a') }],
  'poll skip': [[assigned('g#1', 0), poll('g#1', 0, 'a'), poll('g#1', 2, 'c')], end],
  'never polled': [
    [assigned('g#1', 0), poll('g#1', 0, 'a'), assigned('g#2', 2), poll('g#2', 2, 'c')],
    end,
  ],
  'non-monotonic poll': [[assigned('g#1', 0), poll('g#1', 1, 'b'), poll('g#1', 0, 'a')], end],
  'non-monotonic send': [[send('b'), send('a'), sent('b', 1), sent('a', 0)], end],
  'commit went back': [sound, { ...end, committed: committed(2) }],
  'stale start': [[commit(2), assigned('g#2', 1)], end],
}

describe('the judge of histories', () => {
  it('finds nothing in a sound one', () => {
    assert.deepEqual(checkHistory(sound, end), [])
  })

  for (const [kind, [history, state]] of Object.entries(planted))
    it(`finds a planted anomaly: ${kind}`, () => {
      const kinds = checkHistory(history, state).map((one) => one.kind)
      assert.ok(kinds.includes(kind as AnomalyKind), `found ${kinds.join(', ') || 'nothing'}`)
    })
})
