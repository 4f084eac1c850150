import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { manualClock } from '../../kit/index.ts'
import { readBody } from '../body.ts'
import { indexOfRequestId, parseAccessLine, requestIdOf } from './access-log.ts'
import { LogplexBuffer, type SimulatedLine } from './logplex-buffer.ts'

const line = (number: number, size = 100): SimulatedLine => ({
  number,
  content: Buffer.from(`<190>1 2026-01-01T00:00:00+00:00 host app web.1 - ${'x'.repeat(size)}`),
})
const numbered = (): (() => string) => {
  let next = 0
  return () => String(next++)
}

describe('simulated Logplex', () => {
  it('fills bodies up to 100 KB, and sends a larger line alone', () => {
    const buffer = new LogplexBuffer(manualClock(), numbered())
    for (let number = 0; number < 5; number++) buffer.push(line(number, 30_000))
    buffer.push(line(5, 200_000))
    buffer.push(line(6))
    const counts: number[] = []
    for (let frame = buffer.next(); frame; frame = buffer.next()) {
      const { body } = buffer.body(frame)
      assert.ok(body.length <= 102_400 || frame.lines.length === 1)
      counts.push(frame.lines.length)
    }
    assert.deepEqual(counts, [3, 2, 1, 1])
  })

  it('displaces the oldest of 1,024 lines and tells so on top of the next body', () => {
    const buffer = new LogplexBuffer(manualClock(), numbered())
    for (let number = 0; number < 1030; number++) buffer.push(line(number))
    assert.deepEqual(buffer.ledger.dropped, [0, 1, 2, 3, 4, 5])
    const frame = buffer.next()
    assert.ok(frame)
    const { body, count } = buffer.body(frame)
    const [notice, first] = readBody(body, 'absent', 1e15)
    assert.ok(notice && first)
    assert.deepEqual([notice.read.lost, notice.index, first.index], [6, -1, 0])
    assert.equal(count, frame.lines.length + 1)
    buffer.delivered(frame)
    const next = buffer.next()
    assert.ok(next)
    assert.equal(buffer.body(next).count, next.lines.length)
  })

  it('keeps 10 lines only after five minutes without success', () => {
    const clock = manualClock()
    const buffer = new LogplexBuffer(clock, numbered())
    clock.advance(301_000)
    for (let number = 0; number < 15; number++) buffer.push(line(number))
    assert.equal(buffer.size, 10)
    assert.deepEqual(buffer.ledger.dropped, [0, 1, 2, 3, 4])
  })
})

describe('access log', () => {
  it('reads combined lines, also one whose agent was cut', () => {
    const whole = `83.149.9.216 - - [17/May/2015:10:05:03 +0200] "GET /a?b=c HTTP/1.1" 200 203023 "http://x/" "Mozilla/5.0 (Mac`
    assert.deepEqual(parseAccessLine(whole, 7, 'log'), {
      index: 7,
      client: '83.149.9.216',
      timeMs: Date.UTC(2015, 4, 17, 8, 5, 3),
      method: 'GET',
      path: '/a?b=c',
      status: 200,
      bytes: 203_023,
    })
    assert.equal(parseAccessLine(whole.replace('203023', '-'), 0, 'log').bytes, 0)
    assert.throws(() => parseAccessLine('nonsense', 4, 'a.log'), /line 5 of a\.log/)
  })

  it('tells a request by its id, replayed or not', () => {
    const id = requestIdOf('0a1b2c3d', 9_999)
    assert.match(id, /^[0-9a-f]{8}-[0-9]{4}-[0-9]{4}-[0-9]{4}-[0-9]{12}$/)
    assert.deepEqual([id, `mrreplay-${id}`, 'other'].map(indexOfRequestId), [9999, 9999, undefined])
  })
})
