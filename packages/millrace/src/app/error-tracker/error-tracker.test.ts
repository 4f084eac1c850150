import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { failure } from '../../errors/index.ts'
import { events } from '../../telemetry/index.ts'
import { errorTracker } from './error-tracker.ts'
import { reportOf, type ErrorReport } from './report.ts'
import { sentry } from './sentry.ts'
import { trackErrors } from './track-errors.ts'

const cause = new TypeError('no such customer')
const handler = failure(
  'MR_APP_HANDLER_FAILED',
  {
    topic: 'users',
    partition: 0,
    offset: 42,
    group: 'accounts',
    consumer: 'UsersConsumer',
    attempt: 3,
    reason: 'TypeError: no such customer',
  },
  { cause },
)

describe('an error tracker', () => {
  it('gets the error of the handler, and where it came up', () => {
    assert.deepEqual(reportOf({ type: 'consumer', error: handler }), {
      error: cause,
      type: 'consumer',
      group: 'accounts',
      consumer: 'UsersConsumer',
      topic: 'users',
      partition: 0,
      offset: 42,
      attempt: 3,
    })
    const plain = reportOf({ type: 'runnable', error: 'text' })
    assert.equal(plain.error, 'text')
    assert.equal(plain.consumer, undefined)
  })

  it('is told of each error once, whoever publishes it and however many listen', () => {
    const seen: ErrorReport[] = []
    const layer = errorTracker({
      captureException: (_error, report) => seen.push(report),
      shouldReport: ({ type }) => type !== 'commit',
    })
    // A worker and a producer of one app in one process.
    const ends = [trackErrors([layer]), trackErrors([layer])]
    const shared = new Error('the brokers are gone')
    for (let message = 0; message < 100; message++)
      events.error.publish({ type: 'producer', error: shared })
    events.error.publish({ type: 'commit', error: new Error('x') })
    ends[0]?.()
    ends[0]?.()
    events.error.publish({ type: 'consumer', error: handler })
    ends[1]?.()
    events.error.publish({ type: 'consumer', error: new Error('nobody listens') })
    assert.deepEqual(
      seen.map(({ error }) => error),
      [shared, cause],
    )
  })

  it('may fail without harm to the others', (test) => {
    const complaints = test.mock.method(console, 'error', () => undefined)
    const seen: unknown[] = []
    const broken = errorTracker({
      captureException: () => {
        throw new Error('no network')
      },
    })
    const working = errorTracker({ captureException: (error) => seen.push(error) })
    const end = trackErrors([broken, working])
    events.error.publish({ type: 'consumer', error: handler })
    end()
    assert.deepEqual(seen, [cause])
    assert.equal(complaints.mock.callCount(), 1)
  })

  it('costs no subscription without a layer that wants errors', () => {
    const before = events.error.isHeard
    const end = trackErrors([{ name: 'other', consume: (_job, next) => next() }])
    assert.equal(events.error.isHeard, before)
    end()
  })
})

describe('Sentry', () => {
  it('gets tags that group, and the rest beside them', () => {
    const captured: unknown[] = []
    const layer = sentry({
      sentry: {
        captureException: (error: unknown, hint: unknown) => captured.push(error, hint),
        withIsolationScope: () => undefined,
      },
    })
    layer.error?.(reportOf({ type: 'consumer', error: handler }))
    const tags = {
      group: 'accounts',
      consumer: 'UsersConsumer',
      topic: 'users',
      partition: 0,
      place: 'consumer',
    }
    assert.deepEqual(captured, [
      cause,
      { captureContext: { tags, contexts: { millrace: { ...tags, offset: 42, attempt: 3 } } } },
    ])
  })
})
