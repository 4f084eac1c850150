import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { manualClock, type ManualClock } from '../../kit/index.ts'
import { driveConsumer, type Delivery, type Drive } from '../../testing/drive-consumer.ts'
import { readLine } from '../record.ts'
import { Breaker } from './breaker.ts'
import { choose, encodePath, type ChoiceRules, type ReplayRequest } from './choice.ts'
import { replayTraffic, type ReplayDefinition, type ReplayOptions } from './replay-traffic.ts'
import { ReplaySchedule } from './schedule.ts'
import { httpTarget, type ReplayTarget } from './target.ts'

const startMs = 1_800_000_000_000

interface Logged {
  readonly atMs?: number
  readonly method?: string
  readonly path?: string
  readonly host?: string
  readonly id?: string
  readonly status?: number
  readonly head?: string
}

function logged(line: Logged = {}): Delivery {
  const { method = 'GET', path = '/a', host = 'shop.example', id = 'r1', status = 200 } = line
  const { head = 'at=info' } = line
  const timestamp = startMs + (line.atMs ?? 0)
  const text = `${head} method=${method} path="${path}" host=${host} request_id=${id} fwd="203.0.113.9" dyno=web.1 connect=1ms service=2ms status=${status} bytes=3`
  const frame = `<158>1 ${new Date(timestamp).toISOString()} host heroku router - ${text}`
  const { value } = readLine(Buffer.from(frame), 'absent', timestamp * 1000)
  return { raw: { value: Buffer.from(value) }, timestamp }
}

class ScriptedTarget implements ReplayTarget {
  readonly host = 'staging.example'
  readonly name = 'http://staging.example'
  readonly sent: (ReplayRequest & { readonly atMs: number })[] = []
  readonly #clock: ManualClock
  isDead = false
  answerMs = 0
  inFlight = 0
  most = 0

  constructor(clock: ManualClock) {
    this.#clock = clock
  }

  async send(request: ReplayRequest): Promise<{ status: number; bytes: number; ms: number }> {
    this.sent.push({ ...request, atMs: this.#clock.monotonicMs() })
    this.most = Math.max(this.most, ++this.inFlight)
    await new Promise<void>((resolve) => this.#clock.after(this.answerMs, resolve))
    this.inFlight--
    if (this.isDead) throw new Error('connection refused')
    return { status: 200, bytes: 0, ms: this.answerMs }
  }

  close(): void {}
}

interface Bench extends AsyncDisposable {
  readonly target: ScriptedTarget
  readonly definition: ReplayDefinition
  readonly drive: Drive
}

function bench(options: Partial<ReplayOptions> = {}): Bench {
  const clock = manualClock(startMs)
  const target = new ScriptedTarget(clock)
  const definition = replayTraffic({ to: 'http://staging.example', target, clock, ...options })
  const drive = driveConsumer(definition, { clock })
  return { target, definition, drive, [Symbol.asyncDispose]: () => drive[Symbol.asyncDispose]() }
}

const ids = (target: ScriptedTarget): readonly string[] =>
  target.sent.map(({ originalId }) => originalId)

describe('replay', () => {
  it('keeps the recorded rhythm, faster by its factor', async () => {
    await using at = bench({ speed: 10 })
    const delivered = at.drive.deliver(
      logged({ id: 'a' }),
      logged({ id: 'b', atMs: 1000 }),
      logged({ id: 'c', atMs: 1500 }),
    )
    await at.drive.clock.advanceAsync(1000)
    await delivered
    assert.deepEqual(
      at.target.sent.map(({ originalId, atMs }) => [originalId, atMs]),
      [
        ['a', 0],
        ['b', 100],
        ['c', 150],
      ],
    )
    assert.equal(at.definition.results.matched, 3)
  })

  it('asks again for a target that could not be told at first', async () => {
    const clock = manualClock(startMs)
    let asked = 0
    const to = (): Promise<string> => Promise.reject(new Error(`not yet, ${++asked}`))
    const definition = replayTraffic({ to, clock })
    await using drive = driveConsumer(definition, { clock })
    await drive.deliver(logged())
    await drive.advance('10s')
    assert.ok(asked > 1, `asked ${asked} times`)
  })

  it('sends reads alone, and nothing that a replay or an error caused', async () => {
    await using at = bench()
    const delivered = at.drive.deliver(
      logged({ id: 'get' }),
      logged({ id: 'head', method: 'HEAD' }),
      logged({ id: 'post', method: 'POST' }),
      logged({ id: 'options', method: 'OPTIONS', path: '*' }),
      logged({ id: 'mrreplay-x' }),
      logged({ id: 'ws', status: 101 }),
      logged({ id: 'h12', head: 'at=error code=H12 desc="Request timeout"' }),
      { raw: { value: Buffer.from('no json') } },
    )
    await at.drive.clock.advanceAsync(5000)
    await delivered
    assert.deepEqual(ids(at.target), ['get', 'head'])
    assert.deepEqual(at.definition.results.skipped, {
      method: 2,
      replayed: 1,
      websocket: 1,
      error: 1,
      'no-router-line': 1,
    })
    assert.equal(at.drive.state().kind, 'waiting')
  })

  it('refuses the host that the lines came from, and sends nothing', async () => {
    await using at = bench()
    await at.drive.deliver(logged({ id: 'a' }), logged({ id: 'b', host: 'Staging.example' }))
    assert.deepEqual(ids(at.target), [])
    assert.equal(at.drive.state().kind, 'blocked')
    assert.match(String(at.drive.failures[0]?.error), /staging\.example/)
  })

  it('leaves lines of the target’s own host out when told to', async () => {
    await using at = bench({ originalHost: 'skip' })
    const delivered = at.drive.deliver(
      logged({ id: 'a' }),
      logged({ id: 'b', host: 'staging.example:8080' }),
    )
    await at.drive.clock.advanceAsync(10)
    await delivered
    assert.deepEqual([ids(at.target), at.definition.results.skipped], [['a'], { 'own-host': 1 }])
  })

  it('commits before it sends, so that a crash repeats nothing', async () => {
    await using at = bench()
    at.target.answerMs = 100
    const delivered = at.drive.deliver(logged({ id: 'a' }), logged({ id: 'b' }))
    await at.drive.clock.advanceAsync(50)
    assert.deepEqual([ids(at.target), at.drive.committed()], [['a', 'b'], 2])
    at.drive.crash()
    await at.drive.clock.advanceAsync(1000)
    await delivered
    assert.deepEqual(ids(at.target), ['a', 'b'])
  })

  it('at least once: sends again under the same id what got no answer, and that alone', async () => {
    await using at = bench({ delivery: 'at-least-once' })
    at.target.isDead = true
    const delivered = at.drive.deliver(logged({ id: 'a' }))
    await at.drive.clock.advanceAsync(100)
    await delivered
    assert.deepEqual(at.drive.marked, [])
    at.target.isDead = false
    await at.drive.advance('6s')
    assert.deepEqual([ids(at.target), at.drive.marked], [['a', 'a'], [0]])
  })

  it('at least once: a line without request id has the same id on every delivery', async () => {
    await using at = bench({ delivery: 'at-least-once' })
    at.target.isDead = true
    const delivered = at.drive.deliver(logged({ id: '' }))
    await at.drive.clock.advanceAsync(6000)
    await delivered
    assert.ok(at.target.sent.length >= 2)
    assert.deepEqual(new Set(ids(at.target)), new Set(['router-0-0']))
  })

  it('never has more requests in flight than it may', async () => {
    await using at = bench({ concurrency: 3, speed: Number.POSITIVE_INFINITY })
    at.target.answerMs = 10
    const delivered = at.drive.deliver(
      ...Array.from({ length: 20 }, (_, index) => logged({ id: `r${index}` })),
    )
    await at.drive.clock.advanceAsync(1000)
    await delivered
    assert.deepEqual([at.target.sent.length, at.target.most], [20, 3])
  })

  for (const delivery of ['at-most-once', 'at-least-once'] as const) {
    it(`pauses for a target that does not answer, and goes on when it does (${delivery})`, async () => {
      await using at = bench({
        delivery,
        speed: Number.POSITIVE_INFINITY,
        concurrency: 1,
        breakerPause: '5s',
      })
      at.target.isDead = true
      const delivered = at.drive.deliver(
        ...Array.from({ length: 80 }, (_, index) => logged({ id: `r${index}` })),
      )
      await at.drive.clock.advanceAsync(100)
      await delivered
      assert.equal(at.target.sent.length, 50)
      at.target.isDead = false
      await at.drive.advance('60s')
      const reached = new Set(ids(at.target).slice(50))
      const wanted = Array.from({ length: 80 }, (_, index) => `r${index}`).slice(
        delivery === 'at-most-once' ? 50 : 0,
      )
      assert.deepEqual(reached, new Set(wanted))
    })
  }
})

const schedule = (clock: ManualClock, speed = 1): ReplaySchedule =>
  new ReplaySchedule({ speed, maxGapMs: 10_000, clock })

describe('replay schedule', () => {
  it('is open loop: a late request does not move the next', () => {
    const clock = manualClock()
    const of = schedule(clock)
    assert.equal(of.dueMs(1000), 0)
    clock.advance(3000)
    assert.equal(of.dueMs(2000), 1000)
    assert.equal(of.dueMs(4500), 3500)
  })

  it('shortens long pauses, and starts anew rather than firing off what was missed', () => {
    const clock = manualClock()
    const of = schedule(clock)
    of.dueMs(0)
    assert.equal(of.dueMs(3_600_000), 10_000)
    assert.equal(of.dueMs(3_601_000), 11_000)
    clock.advance(60_000)
    assert.equal(of.dueMs(3_602_000), 60_000)
    assert.equal(of.dueMs(3_603_000), 61_000)
  })

  it('sends lines that come in another order at once', () => {
    const of = schedule(manualClock())
    of.dueMs(5000)
    assert.ok(of.dueMs(4000) <= 0)
    assert.equal(of.dueMs(6000), 1000)
  })
})

describe('breaker', () => {
  it('opens when half of its window failed, and closes after a probe that is answered', () => {
    const clock = manualClock()
    const breaker = new Breaker({ window: 4, pauseMs: 100, clock })
    assert.deepEqual(
      [true, false, true, false].map((outcome) => breaker.record(outcome)),
      [false, false, false, true],
    )
    assert.equal(breaker.waitMs(), 100)
    clock.advance(100)
    assert.deepEqual([breaker.waitMs(), breaker.waitMs()], [0, 100])
    assert.equal(breaker.record(false), true)
    clock.advance(100)
    assert.equal(breaker.waitMs(), 0)
    assert.equal(breaker.record(true), false)
    assert.equal(breaker.waitMs(), 0)
    assert.deepEqual(
      [false, true, true, true].map((outcome) => breaker.record(outcome)),
      [false, false, false, false],
    )
  })
})

const rules: ChoiceRules = {
  methods: new Set(['GET']),
  targetHost: 'localhost:4012',
  originalHost: 'refuse',
}
const line = {
  complete: true,
  ambiguous: false,
  connect_ms: 1,
  service_ms: 1,
  bytes: 1,
  status: 200,
  method: 'GET',
  path: '/',
}

const kind = (host: string, targetHost = 'localhost:4012'): string =>
  choose({ ...line, host }, { ...rules, targetHost }, 'p').kind

const reason = (overrides: object): unknown => {
  const choice = choose({ ...line, ...overrides }, rules, 'p')
  return choice.kind === 'skip' ? choice.reason : choice.kind
}

describe('choice', () => {
  it('tells hosts apart by port only where both name one', () => {
    assert.deepEqual(
      [kind('localhost'), kind('localhost:4012'), kind('localhost:80'), kind('shop.example')],
      ['refuse', 'refuse', 'send', 'send'],
    )
    assert.equal(kind('[::1]:8080', '[::1]'), 'refuse')
  })

  it('skips lines that say two things, or not enough', () => {
    assert.deepEqual(
      [
        reason({ ambiguous: true }),
        reason({ complete: false }),
        reason({ path: '*' }),
        reason({ code: 'H80' }),
      ],
      ['ambiguous', 'incomplete', 'path', 'error'],
    )
  })

  it('encodes what routers decode, and leaves escapes alone', () => {
    assert.equal(encodePath('/a b/ü?q="x"&y=%20%zz\n#'), '/a%20b/%C3%BC?q=%22x%22&y=%20%25zz%0A%23')
  })

  it('takes only web addresses for a target, and never prints their password', () => {
    const options = { concurrency: 1, timeoutMs: 1, headers: {}, clock: manualClock() }
    for (const wrong of ['staging', 'ftp://user:secret@staging/', '']) {
      assert.throws(
        () => httpTarget(wrong, options),
        (error: Error) => !error.message.includes('secret') && /no target/.test(error.message),
      )
    }
    assert.equal(httpTarget('http://u:p@Staging.example/base/', options).host, 'staging.example')
  })
})
