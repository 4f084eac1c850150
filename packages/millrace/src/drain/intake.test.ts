import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { failure } from '../errors/index.ts'
import { deferred, manualClock, type Deferred, type ManualClock } from '../kit/index.ts'
import { ByteBudget } from './byte-budget.ts'
import { DrainCounters } from './counters.ts'
import { authorise } from './credentials.ts'
import { FramesSeen } from './frames-seen.ts'
import { rebuildSeen, type PastMessage } from './history.ts'
import { Intake, type DrainProducer } from './intake.ts'
import type { DrainMessage } from './record.ts'
import { readSender, type Sender } from './sender.ts'

class ScriptedProducer implements DrainProducer {
  readonly sent: DrainMessage[] = []
  readonly #waiting: Deferred<unknown>[] = []
  isHeld = false

  send(message: DrainMessage): Promise<unknown> {
    this.sent.push(message)
    if (!this.isHeld) return Promise.resolve()
    const wait = deferred<unknown>()
    this.#waiting.push(wait)
    return wait.promise
  }

  /** Settles what waits: true acknowledges, false refuses; what is not named is acknowledged. */
  settle(...outcomes: readonly boolean[]): void {
    for (const [index, wait] of this.#waiting.splice(0).entries()) {
      if (outcomes[index] ?? true) wait.resolve(undefined)
      else wait.reject(this.failure)
    }
  }

  failure: Error = new Error('refused')

  get values(): readonly string[] {
    return this.sent.map(({ value }) => (JSON.parse(String(value)) as { msg: string }).msg)
  }
}

const frame = (msg: string): string => {
  const text = `<190>1 2026-01-01T00:00:00Z host app web.1 - ${msg}`
  return `${text.length} ${text}`
}
const notice = (lost: number): string => {
  const text = `<172>1 2026-01-01T00:00:00Z host heroku logplex - Error L10 (output buffer overflow): ${lost} messages dropped since T.`
  return `${text.length} ${text}`
}

interface Bench {
  readonly clock: ManualClock
  readonly producer: ScriptedProducer
  readonly seen: FramesSeen
  readonly take: (body: string, id?: string | null) => ReturnType<Intake['take']>
}

function bench(topics?: () => AsyncIterable<PastMessage>): Bench {
  const clock = manualClock()
  const producer = new ScriptedProducer()
  const seen = new FramesSeen({ windowMs: 600_000, framesPerSource: 100 })
  const intake = new Intake({
    producer,
    topics: { router: 'router', logs: 'logs', unreadable: 'drain-dlt' },
    seen,
    counters: new DrainCounters(),
    clock,
    holdMs: 4000,
    onError: () => undefined,
    ...(topics ? { history: topics } : {}),
  })
  return {
    clock,
    producer,
    seen,
    take(body, id = 'F1') {
      const sender: Sender = {
        kind: 'logplex',
        token: 'd.1',
        frameId: id,
        messageCount: null,
        dropped: 0,
        mode: 'absent',
      }
      const chunk = Buffer.from(body)
      return intake.take(sender, { chunks: [chunk], size: chunk.length }, 1e15)
    },
  }
}

/** What a drain that starts anew reads back of what was written. */
async function* history(sent: readonly DrainMessage[]): AsyncGenerator<PastMessage> {
  for (const { headers } of sent) {
    yield { headers: headers.map(([name, value]) => [name, Buffer.from(value)] as const) }
  }
}

describe('intake', () => {
  it('answers only once every line is acknowledged', async () => {
    const { producer, take, clock } = bench()
    producer.isHeld = true
    let verdict = ''
    const taking = take(frame('a') + frame('b')).then((taken) => (verdict = taken.verdict))
    await clock.advanceAsync(100)
    assert.equal(verdict, '')
    producer.settle()
    await taking
    assert.equal(verdict, 'taken')
  })

  it('writes a frame id once', async () => {
    const { producer, take } = bench()
    assert.equal((await take(frame('a'))).verdict, 'taken')
    assert.equal((await take(frame('a'))).verdict, 'duplicate')
    assert.deepEqual(producer.values, ['a'])
  })

  it('lets copies that arrive together wait for the first', async () => {
    const { producer, take, clock } = bench()
    producer.isHeld = true
    const copies = [take(frame('a')), take(frame('a')), take(frame('a'))]
    await clock.advanceAsync(10)
    assert.deepEqual(producer.values, ['a'])
    producer.settle()
    const verdicts = (await Promise.all(copies)).map(({ verdict }) => verdict)
    assert.deepEqual(verdicts, ['taken', 'duplicate', 'duplicate'])
  })

  it('adds only the lines that a refusal left out', async () => {
    const { producer, take, clock } = bench()
    producer.isHeld = true
    const first = take(frame('a') + frame('b') + frame('c'))
    await clock.advanceAsync(1)
    producer.settle(true, false, true)
    assert.equal((await first).verdict, 'failed')
    producer.isHeld = false
    assert.equal((await take(frame('a') + frame('b') + frame('c'))).verdict, 'taken')
    assert.deepEqual(producer.values, ['a', 'b', 'c', 'b'])
  })

  it('does not double a frame whose answer came too late', async () => {
    const { producer, take, clock } = bench()
    producer.isHeld = true
    const first = take(frame('a'))
    await clock.advanceAsync(4000)
    const { verdict, settled } = await first
    assert.equal(verdict, 'late')
    const second = take(frame('a'))
    await clock.advanceAsync(10)
    producer.settle()
    await settled
    assert.equal((await second).verdict, 'duplicate')
    assert.deepEqual(producer.values, ['a'])
  })

  it('looks at what landed before it writes lines of unknown outcome again', async () => {
    for (const hasLanded of [true, false]) {
      let looked = 0
      const at = bench(() => {
        // The first look finds the cluster away.
        if (++looked === 1) throw new Error('away')
        return history(hasLanded ? at.producer.sent.slice(0, 1) : [])
      })
      const { producer, take, clock } = at
      producer.isHeld = true
      const timeoutMs = 120_000
      const context = { topic: 'logs', partition: 0, timeoutMs, reason: 'no answer' }
      producer.failure = failure('MR_PRODUCER_OUTCOME_UNKNOWN', context)
      const first = take(frame('a') + frame('b'))
      await clock.advanceAsync(4000)
      assert.equal((await first).verdict, 'late')
      producer.settle(false, true)
      const early = take(frame('a') + frame('b'))
      await clock.advanceAsync(4000)
      assert.equal((await early).verdict, 'late')
      assert.equal(looked, 0)

      producer.isHeld = false
      await clock.advanceAsync(120_000)
      const { verdict } = await take(frame('a') + frame('b'))
      assert.equal(looked, 2)
      assert.equal(verdict, hasLanded ? 'duplicate' : 'taken')
      assert.deepEqual(producer.values, hasLanded ? ['a', 'b'] : ['a', 'b', 'a'])
    }
  })

  it('knows after a restart what its predecessor took', async () => {
    const before = bench()
    await before.take(frame('a') + frame('b'))
    const after = bench()
    await rebuildSeen(after.seen, history(before.producer.sent), after.clock.now())
    assert.equal((await after.take(frame('a') + frame('b'))).verdict, 'duplicate')
    assert.deepEqual(after.producer.values, [])
  })

  it('completes a frame that a crash left half written, with or without a loss notice', async () => {
    const before = bench()
    await before.take(frame('a') + frame('b') + frame('c'))
    const [, second] = before.producer.sent
    assert.ok(second)
    for (const body of [
      frame('a') + frame('b') + frame('c'),
      notice(7) + frame('a') + frame('b') + frame('c'),
    ]) {
      const after = bench()
      await rebuildSeen(after.seen, history([second]), after.clock.now())
      assert.equal((await after.take(body)).verdict, 'taken')
      assert.deepEqual(
        after.producer.values.filter((msg) => msg.length === 1),
        ['a', 'c'],
      )
      assert.equal((await after.take(body)).verdict, 'duplicate')
    }
  })

  it('takes frames without an id as often as they come', async () => {
    const { producer, take } = bench()
    await take(frame('a'), null)
    await take(frame('a'), null)
    assert.deepEqual(producer.values, ['a', 'a'])
  })

  it('says so when nothing could be read, and keeps the bytes', async () => {
    const { producer, take } = bench()
    assert.equal((await take('no frame at all')).verdict, 'unreadable')
    assert.deepEqual(
      producer.sent.map(({ topic, value }) => [topic, String(value)]),
      [['drain-dlt', 'no frame at all']],
    )
    assert.equal((await take('', 'F2')).verdict, 'unreadable')
  })
})

describe('frames seen', () => {
  it('forgets the oldest frames beyond its bounds, and none that is being written', () => {
    const seen = new FramesSeen({ windowMs: 1000, framesPerSource: 2 })
    seen.claim('s', 'held', 0, Promise.resolve())
    for (const id of ['a', 'b']) seen.remember('s', id, 0, 1, 10)
    assert.equal(seen.isComplete('s', 'a'), true)
    seen.release('s', 'held', [0], 1)
    seen.remember('s', 'c', 0, 1, 20)
    assert.deepEqual(
      ['held', 'a', 'b', 'c'].map((id) => seen.isComplete('s', id)),
      [false, false, true, true],
    )
    seen.remember('s', 'd', 0, 1, 5000)
    assert.deepEqual(
      ['b', 'c', 'd'].map((id) => seen.isComplete('s', id)),
      [false, false, true],
    )
  })
})

describe('byte budget', () => {
  it('admits in order and never more than it has, except one that is alone', async () => {
    const budget = new ByteBudget(100)
    const { signal } = new AbortController()
    assert.equal(await budget.reserve(500, signal), true)
    const order: string[] = []
    const first = budget.reserve(60, signal).then(() => order.push('first'))
    const leaver = new AbortController()
    const second = budget.reserve(10, leaver.signal)
    const third = budget.reserve(40, signal).then(() => order.push('third'))
    leaver.abort()
    assert.equal(await second, false)
    assert.deepEqual(order, [])
    budget.release(500)
    await Promise.all([first, third])
    assert.deepEqual([order, budget.held], [['first', 'third'], 100])
  })
})

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`

describe('credentials', () => {
  it('takes basic, bearer and a key in the query, and nothing near them', () => {
    const isAllowed = authorise([{ user: 'shop', key: 'k-1' }])
    assert.equal(isAllowed(basic('shop:k-1'), null), true)
    assert.equal(isAllowed('Bearer k-1', null), true)
    assert.equal(isAllowed(undefined, 'k-1'), true)
    for (const wrong of [basic('shop:k-2'), basic('other:k-1'), 'Bearer k', 'Basic', undefined]) {
      assert.equal(isAllowed(wrong, null), false)
    }
    assert.equal(authorise([])(undefined, null), true)
  })
})

describe('sender', () => {
  it('takes the frame id of Logplex, and the request id of log-shuttle for one', () => {
    const logplex = readSender({
      'logplex-frame-id': 'AB',
      'logplex-drain-token': 'd.1',
      'logplex-msg-count': '2',
      'x-request-id': 'r',
    })
    assert.deepEqual(
      [logplex.kind, logplex.frameId, logplex.messageCount, logplex.mode],
      ['logplex', 'AB', 2, 'absent'],
    )
    const shuttle = readSender({
      'user-agent': 'log-shuttle/0.18.0 (go1.10; linux; amd64; gc)',
      'x-request-id': 'r',
      'logplex-drop-count': '3',
    })
    assert.deepEqual(
      [shuttle.kind, shuttle.frameId, shuttle.dropped, shuttle.mode],
      ['log-shuttle', 'r', 3, 'present'],
    )
    const nobody = readSender({ 'x-request-id': 'r', 'logplex-msg-count': 'x' })
    assert.deepEqual([nobody.kind, nobody.frameId, nobody.messageCount], ['other', null, null])
  })
})
