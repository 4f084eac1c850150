import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import * as api from '@opentelemetry/api'

import {
  asReceived,
  extract,
  formatTraceparent,
  inject,
  parseTraceparent,
} from './trace-context.ts'

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
const spanId = '00f067aa0ba902b7'
const written = `00-${traceId}-${spanId}-01`
const context = (traceState?: string): api.Context =>
  api.trace.setSpanContext(api.ROOT_CONTEXT, {
    traceId,
    spanId,
    traceFlags: 1,
    ...(traceState === undefined ? {} : { traceState: api.createTraceState(traceState) }),
  })

describe('the trace of a message', () => {
  it('is written as W3C wants it, and read back', () => {
    const headers = asReceived(inject(api, context('a=1'), { other: 'x' }))
    assert.deepEqual(
      headers.map(([name, value]) => [name, String(value)]),
      [
        ['other', 'x'],
        ['traceparent', written],
        ['tracestate', 'a=1'],
      ],
    )
    const read = api.trace.getSpanContext(extract(api, api.ROOT_CONTEXT, headers))
    assert.partialDeepStrictEqual(read, { traceId, spanId, traceFlags: 1, isRemote: true })
    assert.equal(read?.traceState?.get('a'), '1')
  })

  it('takes the place of one that the message had', () => {
    const old = [['traceparent', 'old'] as const, ['h', Buffer.from('1')] as const]
    const headers = inject(api, context(), old) as readonly (readonly [string, unknown])[]
    assert.deepEqual(
      headers.map(([name]) => name),
      ['h', 'traceparent'],
    )
  })

  it('is none without a span, and the headers are as they were', () => {
    const headers = { other: ['x', 'y'] }
    assert.equal(inject(api, api.ROOT_CONTEXT, headers), headers)
    assert.equal(extract(api, api.ROOT_CONTEXT, []), api.ROOT_CONTEXT)
  })

  it('is not read from what W3C forbids', () => {
    assert.partialDeepStrictEqual(parseTraceparent(written), { traceId, spanId, traceFlags: 1 })
    assert.ok(parseTraceparent(`cc-${traceId}-${spanId}-01-what-comes-later`))
    for (const text of [
      undefined,
      '',
      'x',
      `ff-${traceId}-${spanId}-01`,
      `00-${traceId}-${spanId}-01-more`,
      `00-${'0'.repeat(32)}-${spanId}-01`,
      `00-${traceId}-${'0'.repeat(16)}-01`,
      `00-${traceId.toUpperCase()}-${spanId}-01`,
      `00-${traceId}-${spanId}-1`,
    ])
      assert.equal(parseTraceparent(text), undefined, text)
    assert.equal(
      formatTraceparent({ traceId, spanId, traceFlags: 0 }),
      `00-${traceId}-${spanId}-00`,
    )
  })
})
